import { addBounded, MAX_AXES } from "../proto-bounds.ts";
import { elementCount, itemBytes, toDoubles, type Tensor } from "../../../models/tensor/index.ts";
import { JsonNumber, type JsonNode } from "../json/index.ts";
import { badInput } from "../seldon/seldon-error.ts";
import { parseTfTensor, tfDatatype, tfNumber } from "../seldon/tf-tensor.ts";
import { inside } from "./value.ts";
import { WireReader, type WireWriter } from "../../../ground/wire/index.ts";

/** Tags of `tensorflow.TensorProto`. @see tensorflow/core/framework/tensor.proto */
const TF = { dtype: 8, shape: 18, content: 34 } as const;
const DIM = 18;
const DIM_SIZE = 8;

type Read = (reader: WireReader) => string;

/** The fields of values: number, name in JSON, wire type of one value, and how to read it as the text of a number. */
const VALUES: readonly (readonly [field: number, name: string, wire: 0 | 1 | 2 | 5, read: Read])[] =
  [
    [5, "floatVal", 5, (reader) => String(reader.float())],
    [6, "doubleVal", 1, (reader) => String(reader.double())],
    [7, "intVal", 0, (reader) => String(reader.int32())],
    [8, "stringVal", 2, (reader) => reader.bytes().toString("base64")],
    [10, "int64Val", 0, (reader) => String(reader.int64())],
    [11, "boolVal", 0, (reader) => String(Number(reader.bool()))],
    [13, "halfVal", 0, (reader) => String(reader.int32())],
    [16, "uint32Val", 0, (reader) => String(reader.int32() >>> 0)],
    [17, "uint64Val", 0, (reader) => String(BigInt.asUintN(64, reader.int64()))],
  ];

/**
 * Reads a TensorProto. Content in one piece stays a view of `bytes`; separate values take the way of the JSON form.
 * @throws SeldonError 500, WireError
 */
export function readTfTensor(bytes: Buffer): Tensor {
  const reader = new WireReader(bytes);
  const values = new Map<string, string[]>();
  let dims: number[] = [];
  let type = 0;
  let content: Buffer | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === TF.dtype) type = reader.int32();
    else if (tag === TF.content) content = reader.bytes();
    else if (tag === TF.shape) dims = inside(reader, readDims);
    else if (!readValues(reader, tag, values)) reader.skip(tag);
  }
  const datatype = tfDatatype(type);
  if (
    content !== undefined &&
    content.byteLength > 0 &&
    datatype !== undefined &&
    datatype !== "BYTES"
  ) {
    const wanted = elementCount(dims) * itemBytes(datatype);
    if (content.byteLength !== wanted)
      throw badInput(
        `Failed to parse tftensor: ${content.byteLength} bytes of content for ${elementCount(dims)} elements of ${datatype}`,
      );
    return { name: "", datatype, shape: dims, data: content };
  }
  const node = new Map<string, JsonNode>([
    ["dtype", new JsonNumber(String(type), false)],
    [
      "tensorShape",
      new Map([
        ["dim", dims.map((size) => new Map([["size", new JsonNumber(String(size), false)]]))],
      ]),
    ],
  ]);
  for (const [name, texts] of values)
    node.set(
      name,
      texts.map((text) => (name === "stringVal" ? text : new JsonNumber(text, false))),
    );
  return parseTfTensor(node);
}

/** Writes the content of a TensorProto. */
export function writeTfTensor(writer: WireWriter, tensor: Tensor): void {
  const type = tfNumber(tensor.datatype);
  if (type === undefined) {
    writeTfTensor(writer, {
      ...tensor,
      datatype: "FP64",
      data: Buffer.from(toDoubles(tensor).buffer),
    });
    return;
  }
  writer.bytes(TF.content, tensor.data);
  const from = writer.size;
  for (const size of tensor.shape.toReversed()) {
    const inner = writer.size;
    writer.int(DIM_SIZE, size);
    writer.close(DIM, inner);
  }
  writer.close(TF.shape, from);
  writer.int(TF.dtype, type);
}

function readDims(reader: WireReader): number[] {
  const dims: number[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === DIM) addBounded(dims, inside(reader, readSize), MAX_AXES, "axes");
    else reader.skip(tag);
  }
  return dims;
}

function readSize(reader: WireReader): number {
  let size = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === DIM_SIZE) size = Number(reader.int64());
    else reader.skip(tag);
  }
  if (size < 0 || !Number.isSafeInteger(size))
    throw badInput("Failed to parse tftensor: a dim without a size");
  return size;
}

/** Takes the values of one field, packed or one by one; false when the tag is not one of them. */
function readValues(reader: WireReader, tag: number, into: Map<string, string[]>): boolean {
  const found = VALUES.find(([field]) => field === tag >>> 3);
  if (found === undefined) return false;
  const [, name, wire, read] = found;
  const isPacked = (tag & 7) === 2 && wire !== 2;
  if (!isPacked && (tag & 7) !== wire) return false;
  const list = into.get(name) ?? [];
  into.set(name, list);
  if (isPacked) {
    const outer = reader.enter();
    while (reader.at < reader.end) list.push(read(reader));
    reader.leave(outer);
  } else list.push(read(reader));
  return true;
}
