export type {
  Candidate,
  FactMemory,
  Detail,
  KindRow,
  Obstacle,
  StatedTensor,
  ModelFacts,
  ModelFile,
  ReadOptions,
} from "./contracts.ts";
export { readLabelsFile } from "./files/labels.ts";
export { kindRow } from "./rows.ts";
export { detectModel, type DetectedModel, type DetectRequest } from "./detect.ts";
export { checkPickles } from "./pickle/check-files.ts";
