export { DATATYPES, isDatatype, isNumeric, itemBytes } from "./datatypes.ts";
export { fromBrain, fromHalf } from "./halves.ts";
export { elementCount, shapeText } from "./shape.ts";
export type { Datatype, Signature, Tensor, TensorSpec } from "./types.ts";
export {
  byteItems,
  bytesOf,
  castTensor,
  elementsOf,
  toDoubles,
  type NumberArray,
} from "./views.ts";
