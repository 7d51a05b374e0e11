export type {
  Candidate,
  FactMemory,
  FormatReader,
  ModelFacts,
  ModelFile,
  ReadOptions,
} from "./contracts.ts";
export { findPythonClasses, type PythonClass } from "./python-source.ts";
export { detectModel, type DetectedModel, type DetectRequest } from "./detect.ts";
