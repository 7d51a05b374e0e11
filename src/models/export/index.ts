export {
  exportGraph,
  signatureOutputs,
  type ExportedGraph,
  type ExportOptions,
} from "./export-graph.ts";
export { openSavedModel, openTrainingGraph, type GraphSource } from "./graph-source.ts";
export { INPUT_TYPES, parseInputType, type InputType } from "./input-type.ts";
export { parseReplacement, type InputReplacement } from "./replace-inputs.ts";
