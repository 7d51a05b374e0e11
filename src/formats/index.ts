export type { Candidate, FormatReader, ModelFacts, ModelFile } from "./contracts.ts";
export { detectModel, type DetectedModel, type DetectRequest } from "./detect.ts";
export { findPythonClasses, type PythonClass } from "./python-source.ts";
