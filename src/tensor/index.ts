export { DATATYPES, isDatatype, isNumeric, itemBytes } from "./datatypes.ts";
export { fromBrain, fromHalf, toBrain, toHalf } from "./halves.ts";
export { checkTensor, elementCount, shapeText } from "./shape.ts";
export type { Datatype, Signature, Tensor, TensorSpec } from "./types.ts";
export { bytesOf, castTensor, elementsOf, toDoubles, type NumberArray } from "./views.ts";
