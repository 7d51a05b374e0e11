import {
  bytesOf,
  castTensor,
  elementCount,
  elementsOf,
  isNumeric,
  itemBytes,
  type Datatype,
  type Tensor,
} from "../../../models/tensor/index.ts";
import {
  isList,
  isObject,
  JsonNumber,
  stringText,
  type JsonNode,
  type JsonObject,
} from "../json/index.ts";
import { decodeBase64 } from "./base64.ts";
import { badInput } from "./seldon-error.ts";

/** TensorFlow's types, by the number that they have in `tensorflow.DataType`. Null: not ours. */
const TYPES: readonly (readonly [
  number: number,
  name: string,
  datatype: Datatype,
  field: string,
])[] = [
  [1, "DT_FLOAT", "FP32", "floatVal"],
  [2, "DT_DOUBLE", "FP64", "doubleVal"],
  [3, "DT_INT32", "INT32", "intVal"],
  [4, "DT_UINT8", "UINT8", "intVal"],
  [5, "DT_INT16", "INT16", "intVal"],
  [6, "DT_INT8", "INT8", "intVal"],
  [7, "DT_STRING", "BYTES", "stringVal"],
  [9, "DT_INT64", "INT64", "int64Val"],
  [10, "DT_BOOL", "BOOL", "boolVal"],
  [14, "DT_BFLOAT16", "BF16", "halfVal"],
  [17, "DT_UINT16", "UINT16", "intVal"],
  [19, "DT_HALF", "FP16", "halfVal"],
  [22, "DT_UINT32", "UINT32", "uint32Val"],
  [23, "DT_UINT64", "UINT64", "uint64Val"],
];

/** The datatype of a number of `tensorflow.DataType`; undefined for those that are not served. */
export function tfDatatype(number: number): Datatype | undefined {
  return TYPES.find(([own]) => own === number)?.[2];
}

/** The number of a datatype in `tensorflow.DataType`. */
export function tfNumber(datatype: Datatype): number | undefined {
  return TYPES.find(([, , own]) => own === datatype)?.[0];
}

/**
 * A `tensorflow.TensorProto` in JSON form as a tensor. Values that are too few are filled up with the last one, as TensorFlow does.
 * @throws SeldonError 500
 * @see tensorflow/core/framework/tensor.proto
 */
export function parseTfTensor(node: JsonNode): Tensor {
  if (!isObject(node)) throw badInput("Failed to parse tftensor: not an object");
  const dtype = node.get("dtype") ?? "DT_INVALID";
  const type = TYPES.find(
    ([number, name]) =>
      name === dtype || (dtype instanceof JsonNumber && dtype.text === String(number)),
  );
  if (type === undefined)
    throw badInput(
      `Failed to parse tftensor: dtype ${typeof dtype === "string" ? dtype : "unknown"} is not supported`,
    );
  const [, , datatype, field] = type;
  const shape = shapeOf(member(node, "tensorShape", "tensor_shape"));
  const count = elementCount(shape);
  const content = member(node, "tensorContent", "tensor_content");
  if (datatype === "BYTES")
    return {
      name: "",
      datatype,
      shape,
      data: elementBytes(member(node, field, snake(field)), count),
    };
  if (typeof content === "string" && content !== "") {
    const data = decodeBase64(Buffer.from(content));
    if (data.byteLength !== count * itemBytes(datatype))
      throw badInput(
        `Failed to parse tftensor: ${data.byteLength} bytes of content for ${count} elements of ${datatype}`,
      );
    return { name: "", datatype, shape, data };
  }
  return {
    name: "",
    datatype,
    shape,
    data: valuesOf(member(node, field, snake(field)), { datatype, count }),
  };
}

/** A numeric tensor as a `TensorProto` in JSON form, as `tf.make_tensor_proto` makes it. */
export function tfTensorText(tensor: Tensor): string {
  const dims = tensor.shape.map((size) => `{"size":"${size}"}`).join(",");
  const shape = tensor.shape.length === 0 ? "{}" : `{"dim":[${dims}]}`;
  const [, name = "", , field = ""] =
    TYPES.find(([, , datatype]) => datatype === tensor.datatype) ?? [];
  if (elementCount(tensor.shape) === 1)
    return `{"dtype":"${name}",${stringText(field, true)}:[${singleText(tensor)}],"tensorShape":${shape}}`;
  const content = Buffer.from(
    tensor.data.buffer,
    tensor.data.byteOffset,
    tensor.data.byteLength,
  ).toString("base64");
  return `{"dtype":"${name}",${content === "" ? "" : `"tensorContent":"${content}",`}"tensorShape":${shape}}`;
}

function singleText(tensor: Tensor): string {
  const [value = 0] = elementsOf(tensor);
  const text = String(value);
  if (typeof value === "bigint" || !Number.isFinite(value)) return `"${text}"`; // protobuf's JSON form quotes 64-bit integers, NaN and infinities
  return isNumeric(tensor.datatype) &&
    (tensor.datatype === "FP64" || tensor.datatype === "FP32") &&
    Number.isInteger(value)
    ? `${text}.0`
    : text;
}

function member(node: JsonObject, camel: string, other: string): JsonNode | undefined {
  return node.get(camel) ?? node.get(other);
}

function snake(name: string): string {
  return name.replace("Val", "_val");
}

function shapeOf(node: JsonNode | undefined): number[] {
  const dims = isObject(node) ? node.get("dim") : undefined;
  if (dims === undefined) return [];
  if (!isList(dims)) throw badInput("Failed to parse tftensor: dim is not a list");
  return dims.map((dim) => {
    const size = isObject(dim) ? Number(elementText(dim.get("size") ?? "0")) : NaN;
    if (!Number.isSafeInteger(size) || size < 0)
      throw badInput("Failed to parse tftensor: a dim without a size");
    return size;
  });
}

function elementText(node: JsonNode): string {
  if (node instanceof JsonNumber) return node.text;
  return typeof node === "boolean" ? String(Number(node)) : typeof node === "string" ? node : "x";
}

/** No tensor may be more than this many times as large as what was sent for it. */
const MAX_FILLED = 1 << 24;

function elementNodes(node: JsonNode | undefined, count: number): readonly JsonNode[] {
  const values = isList(node) ? node : node === undefined ? [] : [node];
  if (values.length > count || (values.length < count && count > MAX_FILLED))
    throw badInput(`Failed to parse tftensor: ${values.length} values for ${count} elements`);
  return values;
}

function valuesOf(
  node: JsonNode | undefined,
  { datatype, count }: { datatype: Datatype; count: number },
): Uint8Array {
  const values = elementNodes(node, count);
  const isBig = datatype === "INT64" || datatype === "UINT64";
  const isHalf = datatype === "FP16" || datatype === "BF16";
  const texts = values.map(elementText);
  const at = (index: number): string => texts[Math.min(index, texts.length - 1)] ?? "0";
  try {
    if (isBig) {
      const wide = new (datatype === "INT64" ? BigInt64Array : BigUint64Array)(count);
      for (let index = 0; index < count; index += 1) wide[index] = BigInt(at(index));
      return bytesOf(wide);
    }
    if (isHalf)
      return bytesOf(Uint16Array.from({ length: count }, (_, index) => Number(at(index))));
    const doubles = Float64Array.from({ length: count }, (_, index) => Number(at(index)));
    return castTensor(
      { name: "tftensor", datatype: "FP64", shape: [count], data: bytesOf(doubles) },
      datatype,
    ).data;
  } catch {
    throw badInput(`Failed to parse tftensor: a value is not of ${datatype}`);
  }
}

/** Texts that are filled up may not take more than this, in bytes. */
const MAX_FILLED_BYTES = 1 << 26;

function elementBytes(node: JsonNode | undefined, count: number): Uint8Array {
  const values = elementNodes(node, count).map((value) =>
    decodeBase64(Buffer.from(elementText(value))),
  );
  const last = values.at(-1) ?? Buffer.alloc(0);
  const filledBytes = (count - values.length) * (4 + last.byteLength);
  if (filledBytes > MAX_FILLED_BYTES)
    throw badInput(`Failed to parse tftensor: ${values.length} values for ${count} elements`);
  const sentBytes = values.reduce((sum, value) => sum + 4 + value.byteLength, 0);
  const data = Buffer.alloc(sentBytes + filledBytes);
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    const item = values[index] ?? last;
    data.writeUInt32LE(item.byteLength, at);
    data.set(item, at + 4);
    at += 4 + item.byteLength;
  }
  return data;
}
