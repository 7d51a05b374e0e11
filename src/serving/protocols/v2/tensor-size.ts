import { itemBytes, shapeText, type Datatype } from "../../../models/tensor/index.ts";
import { tensorInvalid } from "../request-errors.ts";

/** What a request says of a tensor before its data. */
export interface TensorHead {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

const MAX_AXES = 32;
/** Beyond this no machine holds the tensor, and a product of axes may not be exact. */
const MAX_ELEMENTS = 2 ** 50;

/** Number of elements of a shape that came from a client. @throws InferenceError `TENSOR_INVALID` */
export function countElements(name: string, shape: readonly number[]): number {
  if (shape.length > MAX_AXES)
    throw tensorInvalid({
      tensor: name,
      why: `its shape has ${shape.length} axes, and ${MAX_AXES} are the most`,
    });
  let count = 1;
  for (const axis of shape) {
    if (!Number.isSafeInteger(axis) || axis < 0)
      throw tensorInvalid({
        tensor: name,
        why: `its shape has the axis ${axis}, and whole numbers from 0 on are wanted`,
        actual: String(axis),
      });
    count *= axis;
    if (count > MAX_ELEMENTS)
      throw tensorInvalid({
        tensor: name,
        why: `the shape ${shapeText(shape)} has too many elements`,
        actual: shapeText(shape),
      });
  }
  return count;
}

/**
 * Holds raw bytes against shape and datatype: `BYTES` has to be elements with a u32 length before each, `BOOL` bytes of 0 and 1.
 * @throws InferenceError `TENSOR_INVALID`
 */
export function checkRawData({ name, datatype, shape }: TensorHead, data: Uint8Array): void {
  const count = countElements(name, shape);
  if (datatype === "BYTES") {
    checkItems(name, count, data);
    return;
  }
  const expected = count * itemBytes(datatype);
  if (data.byteLength !== expected)
    throw tensorInvalid({
      tensor: name,
      why: `${datatype} of shape ${shapeText(shape)} takes ${expected} bytes, got ${data.byteLength}`,
      expected: `${expected} bytes`,
      actual: `${data.byteLength} bytes`,
    });
  if (datatype === "BOOL" && data.some((byte) => byte > 1))
    throw tensorInvalid({ tensor: name, why: "a byte of BOOL is 0 or 1, and another one came" });
}

function checkItems(name: string, count: number, data: Uint8Array): void {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let items = 0;
  let at = 0;
  while (at < data.byteLength) {
    const size = at + 4 <= data.byteLength ? view.getUint32(at, true) : undefined;
    if (size === undefined || size > data.byteLength - at - 4)
      throw tensorInvalid({
        tensor: name,
        why: `its element ${items} goes beyond the end of its ${data.byteLength} bytes`,
        hint: "write a u32 with the length, little-endian, before each element of BYTES",
      });
    at += 4 + size;
    items += 1;
  }
  if (items !== count)
    throw tensorInvalid({
      tensor: name,
      why: `its bytes hold ${items} elements, and its shape has ${count}`,
      expected: `${count} elements`,
      actual: `${items} elements`,
    });
}
