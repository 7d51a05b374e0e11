export { parseReplacement, type InputReplacement } from "./replace-inputs.ts";
export { exportCheckpoint, type ExportedGraph, type ExportOptions } from "./export-checkpoint.ts";
