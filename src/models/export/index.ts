export { exportGraph, signatureOutputs, type ExportOptions } from "./export-graph.ts";
export { openSavedModel, openTrainingGraph, type GraphSource } from "./graph-source.ts";
export { INPUT_TYPES, parseInputType } from "./input-type.ts";
export { parseReplacement } from "./replace-inputs.ts";
