export {
  buildCall,
  nested,
  protocolsOf,
  type Call,
  type CallInput,
  type CallModel,
  type ProtocolName,
} from "./build-call.ts";
export { boxesIn, classShares, type Box, type ClassShare } from "./find-views.ts";
export { checkJson, literalOf, parseCsv, parseJsonValue, parseLines } from "./parse-values.ts";
export { readTensors, type OutputTensor, type Value } from "./read-answer.ts";
export {
  columnsOf,
  elementsIn,
  isDrawing,
  pictureLayout,
  shapeText,
  ValueError,
  type PictureLayout,
  type TensorValue,
} from "./shape.ts";
