export { detectionsOf, isDetector, type Box, type Detection } from "./detections.ts";
export { topClasses, type ClassQuestion, type ClassScore } from "./top-classes.ts";
