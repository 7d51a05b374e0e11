export { drawDetections } from "./draw-detections.ts";
export {
  DETECTION_OUTPUTS,
  detectionsOf,
  isDetector,
  type Box,
  type Detection,
} from "./detections.ts";
export { topClasses, type ClassQuestion, type ClassScore } from "./top-classes.ts";
