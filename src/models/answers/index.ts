export { drawDetections } from "./draw-detections.ts";
export { DETECTION_OUTPUTS, detectionsOf, isDetector, type Detection } from "./detections.ts";
export { topClasses } from "./top-classes.ts";
