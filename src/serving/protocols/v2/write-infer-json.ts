import { isUtf8 } from "node:buffer";
import { InferenceError } from "../../../ground/errors/index.ts";
import { byteItems, type Datatype } from "../../../models/tensor/index.ts";
import { arrayText, stringText } from "../json/index.ts";
import type { NamedTensor, Parameters } from "../../plane/index.ts";

/** An output as it is to be sent. */
interface SentOutput {
  readonly tensor: NamedTensor;
  readonly isBinary: boolean;
}

/** What goes back for an inference. */
export interface InferAnswer {
  readonly model: string;
  readonly version: string;
  readonly id?: string | undefined;
  readonly parameters?: Parameters | undefined;
  readonly outputs: readonly SentOutput[];
}

/** The bytes of an answer. */
export interface WrittenAnswer {
  readonly body: Buffer;
  /** Length of the JSON where raw bytes follow it; absent where all is JSON. */
  readonly headerBytes?: number;
}

/** Blobs begin at a multiple of this, so that clients can look at them in place; the JSON ends in spaces where that takes some. */
const ALIGNMENT = 8;

/**
 * An inference response: JSON in ASCII, and behind it the raw bytes of the outputs that are binary, in their order.
 * @throws InferenceError `REQUEST_INVALID` for what JSON cannot carry: `FP16`, `BF16`, and `BYTES` that are no UTF-8
 */
export function writeInferJson(answer: InferAnswer): WrittenAnswer {
  const { model, version, id, parameters, outputs } = answer;
  const parts: (string | Buffer)[] = [
    `{"model_name":${stringText(model, true)},"model_version":${stringText(version, true)}`,
  ];
  if (id !== undefined) parts.push(`,"id":${stringText(id, true)}`);
  if (parameters !== undefined) parts.push(`,"parameters":${parametersText(parameters)}`);
  parts.push(',"outputs":[');
  const blobs: Uint8Array[] = [];
  outputs.forEach(({ tensor, isBinary }, at) => {
    if (at > 0) parts.push(",");
    writeTensor(parts, tensor, isBinary);
    if (isBinary) blobs.push(tensor.data);
  });
  parts.push("]}");
  const json = parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part));
  if (blobs.length === 0) return { body: joined(json) };
  const size = json.reduce((sum, part) => sum + part.byteLength, 0);
  const padding = Buffer.alloc((ALIGNMENT - (size % ALIGNMENT)) % ALIGNMENT, " ");
  return {
    body: Buffer.concat([...json, padding, ...blobs]),
    headerBytes: size + padding.byteLength,
  };
}

function joined(parts: readonly Buffer[]): Buffer {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
}

function writeTensor(parts: (string | Buffer)[], tensor: NamedTensor, isBinary: boolean): void {
  const { name, datatype, shape, data } = tensor;
  const parameters = {
    ...tensor.parameters,
    ...(isBinary && { binary_data_size: data.byteLength }),
  };
  parts.push(
    `{"name":${stringText(name, true)},"datatype":"${datatype}","shape":[${shape.join(",")}]`,
  );
  if (Object.keys(parameters).length > 0) parts.push(`,"parameters":${parametersText(parameters)}`);
  if (!isBinary) {
    checkJson(tensor);
    parts.push(',"data":', arrayText(tensor, "flat", true));
  }
  parts.push("}");
}

function parametersText(parameters: Parameters): string {
  const members = Object.entries(parameters).map(
    ([key, value]) =>
      `${stringText(key, true)}:${typeof value === "string" ? stringText(value, true) : String(value)}`,
  );
  return `{${members.join(",")}}`;
}

/** True for datatypes whose numbers have no form in JSON here. */
export function isBinaryOnly(datatype: Datatype): boolean {
  return datatype === "FP16" || datatype === "BF16";
}

/** Refuses an output that JSON cannot carry. */
export function refuseInJson(name: string, what: string): never {
  throw new InferenceError(
    "REQUEST_INVALID",
    `write the output "${name}": ${what} cannot be sent in JSON`,
    {
      tensor: name,
      hint: 'ask for it with "parameters": {"binary_data": true}, or over gRPC',
    },
  );
}

function checkJson({ name, datatype, data }: NamedTensor): void {
  if (isBinaryOnly(datatype)) refuseInJson(name, datatype);
  if (datatype === "BYTES" && !byteItems(data).every((item) => isUtf8(item)))
    refuseInJson(name, "BYTES that are no UTF-8");
}
