export type { Candidate, FactMemory, FormatReader, ModelFacts, ModelFile, ReadOptions } from "./contracts.ts";
export { detectModel, type DetectedModel, type DetectRequest } from "./detect.ts";
