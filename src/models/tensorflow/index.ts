export * from "./attr-value.ts";
export {
  chooseCheckpoint,
  findCheckpoints,
  openCheckpoint,
  type FoundCheckpoint,
} from "./checkpoint.ts";
export { baseType, DT, dtypeBytes, dtypeName, dtypeNumber } from "./dtypes.ts";
export { type Graph, type GraphFunction, type GraphNode, type OpSignature } from "./graph-def.ts";
export { invalidFile, parsing } from "./invalid-file.ts";
export {
  parseMetaGraph,
  parseSavedModel,
  type GraphSignature,
  type MetaGraph,
} from "./meta-graph.ts";
export { tensorContent, tensorStrings } from "./tensor-content.ts";
export { type Checkpoint, type Extent, type TensorEntry } from "./tensor-entry.ts";
export {
  constAttrs,
  plainTensor,
  streamRope,
  stringTensor,
  writeGraph,
  type Rope,
  type StreamedTensor,
} from "./write-graph.ts";
export { writeSavedModel, type NamedTensor } from "./write-saved-model.ts";
