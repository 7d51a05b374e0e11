import { itemBytes, shapeText, type Signature } from "../../../models/tensor/index.ts";
import type { InferCall } from "./infer-call.ts";
import { requestInvalid, tensorInvalid } from "../request-errors.ts";
import { checkRawData } from "./tensor-size.ts";

/**
 * A body that is the only input of a model and nothing else (`Inference-Header-Content-Length: 0`). Axis 0 of several is the batch and 1;
 * one other axis may be open and follows from the length. `BYTES` is a single element. All outputs go back as raw bytes.
 * @throws InferenceError `REQUEST_INVALID` where the input cannot be told, `TENSOR_INVALID` for a length that does not fit
 * @see Triton's extension_binary_data.md, raw binary request
 */
export function readRawTensor(body: Buffer, signature: Signature | undefined): InferCall {
  const [input, ...others] = signature?.inputs ?? [];
  if (input === undefined || others.length > 0)
    throw requestInvalid(
      `a bare tensor came, and the model ${input === undefined ? "does not say what it takes" : `takes ${others.length + 1}`}`,
      "send JSON with the inputs by name",
    );
  const { name, datatype } = input;
  const shape = input.shape.map((axis, at) =>
    at === 0 && axis === -1 && isBatch(input.shape) ? 1 : axis,
  );
  const open = shape.filter((axis) => axis === -1).length;
  const known = shape.reduce((product, axis) => (axis === -1 ? product : product * axis), 1);
  const data = datatype === "BYTES" ? singleItem(body) : body;
  const count = datatype === "BYTES" ? 1 : body.byteLength / itemBytes(datatype);
  if (open > 1)
    throw tensorInvalid({
      tensor: name,
      why: `the shape of a bare tensor does not follow from its length: ${shapeText(input.shape)} leaves ${open} axes open`,
      hint: "send JSON with the shape",
    });
  const rest = count / known;
  if (open === 1 && !Number.isSafeInteger(rest))
    throw tensorInvalid({
      tensor: name,
      why: `${body.byteLength} bytes are no whole rows of ${datatype} ${shapeText(input.shape)}`,
      actual: `${body.byteLength} bytes`,
    });
  const head = { name, datatype, shape: shape.map((axis) => (axis === -1 ? rest : axis)) };
  checkRawData(head, data);
  return { inputs: [{ ...head, data }], isBinaryOut: true };
}

function isBatch(shape: readonly number[]): boolean {
  return shape.length > 1;
}

function singleItem(body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.byteLength);
  return Buffer.concat([length, body]);
}
