import type { Bytes } from "../../ground/bytes/index.ts";
import { WireWriter } from "../../ground/wire/index.ts";
import { makeType, shapeProto } from "./attr-value.ts";
import type { Graph, GraphFunction, GraphNode, OpArgument, OpSignature } from "./graph-def.ts";
import type { TensorContent } from "./tensor-content.ts";

/** The values of a Const node that are streamed when the graph is written. */
export interface StreamedTensor {
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly content: TensorContent;
}

/** A message that is not in memory as a whole: bytes, and contents that are streamed between them. */
export interface Rope {
  /** Bytes in all. */
  readonly size: number;
  readonly pieces: readonly (Buffer | TensorContent)[];
}

/** Looks up the streamed values of a node. */
export type StreamedOf = (node: GraphNode) => StreamedTensor | undefined;

/** A GraphDef as bytes to stream. Same graph, same bytes. */
export function writeGraph(graph: Graph, streamedOf: StreamedOf): Rope {
  const ropes = graph.nodes.map((node) => field(1, writeNode(node, streamedOf)));
  if (graph.functions.length > 0) {
    const functions = graph.functions.map((one) => field(1, writeFunction(one, streamedOf)));
    ropes.push(field(2, join(functions)));
  }
  ropes.push(field(4, ropeOf(graph.versions)));
  return join(ropes);
}

/** Streams a rope. @throws ProjectError what the contents throw */
export async function* streamRope({ pieces }: Rope): Bytes {
  for (const piece of pieces) {
    if (Buffer.isBuffer(piece)) yield piece;
    else yield* piece.open();
  }
}

/** Bytes in memory as a rope. */
export function ropeOf(bytes: Buffer): Rope {
  return { size: bytes.byteLength, pieces: [bytes] };
}

/** Ropes one after the other. Neighbouring bytes become one piece. */
export function join(ropes: readonly Rope[]): Rope {
  const pieces: (Buffer | TensorContent)[] = [];
  let size = 0;
  let small: Buffer[] = [];
  const flush = (): void => {
    if (small.length > 0) pieces.push(Buffer.concat(small));
    small = [];
  };
  for (const rope of ropes) {
    size += rope.size;
    for (const piece of rope.pieces) {
      if (Buffer.isBuffer(piece)) small.push(piece);
      else {
        flush();
        pieces.push(piece);
      }
    }
  }
  flush();
  return { size, pieces };
}

/** A length-delimited field around a rope. */
export function field(number: number, content: Rope): Rope {
  const head = new WireWriter(16);
  head.varint(content.size);
  head.varint((number << 3) | 2);
  const bytes = head.finish();
  return { size: bytes.byteLength + content.size, pieces: [bytes, ...content.pieces] };
}

function writeNode(node: GraphNode, streamedOf: StreamedOf): Rope {
  const head = ropeOf(writeNodeHead(node));
  const streamed = streamedOf(node);
  if (streamed === undefined) return head;
  const { dtype, shape, content } = streamed;
  const proto = new WireWriter(64);
  proto.bytes((2 << 3) | 2, shapeProto(shape));
  proto.int((1 << 3) | 0, dtype);
  const tensor = join([
    ropeOf(proto.finish()),
    field(4, { size: content.size, pieces: [content] }),
  ]);
  const entry = join([field(1, ropeOf(Buffer.from("value"))), field(2, field(8, tensor))]);
  return join([head, field(5, entry)]);
}

function writeNodeHead({ name, op, inputs, device, attrs }: GraphNode): Buffer {
  const writer = new WireWriter(512);
  writeMap(writer, 5, attrs);
  if (device !== "") writer.string((4 << 3) | 2, device);
  for (const input of inputs.toReversed()) writer.string((3 << 3) | 2, input);
  writer.string((2 << 3) | 2, op);
  writer.string((1 << 3) | 2, name);
  return writer.finish();
}

function writeMap(writer: WireWriter, number: number, map: ReadonlyMap<string, Buffer>): void {
  for (const [key, value] of [...map].reverse()) {
    const from = writer.size;
    writer.bytes((2 << 3) | 2, value);
    writer.string((1 << 3) | 2, key);
    writer.close((number << 3) | 2, from);
  }
}

function writeFunction(one: GraphFunction, streamedOf: StreamedOf): Rope {
  const tail = new WireWriter(256);
  writeMap(tail, 5, one.attrs);
  for (const [key, value] of [...one.results].reverse()) {
    const from = tail.size;
    tail.string((2 << 3) | 2, value);
    tail.string((1 << 3) | 2, key);
    tail.close((4 << 3) | 2, from);
  }
  return join([
    field(1, ropeOf(writeSignature(one.signature))),
    ...one.nodes.map((node) => field(3, writeNode(node, streamedOf))),
    ropeOf(tail.finish()),
  ]);
}

function writeSignature({ name, inputs, outputs, isStateful, attrs }: OpSignature): Buffer {
  const writer = new WireWriter(256);
  if (isStateful) writer.int((17 << 3) | 0, 1);
  for (const attr of attrs.toReversed()) writer.bytes((4 << 3) | 2, attr);
  for (const output of outputs.toReversed()) writer.bytes((3 << 3) | 2, writeArgument(output));
  for (const input of inputs.toReversed()) writer.bytes((2 << 3) | 2, writeArgument(input));
  writer.string((1 << 3) | 2, name);
  return writer.finish();
}

function writeArgument({ name, type, typeAttr, numberAttr, typeListAttr }: OpArgument): Buffer {
  const writer = new WireWriter(64);
  if (typeListAttr !== "") writer.string((6 << 3) | 2, typeListAttr);
  if (numberAttr !== "") writer.string((5 << 3) | 2, numberAttr);
  if (typeAttr !== "") writer.string((4 << 3) | 2, typeAttr);
  if (type !== 0) writer.int((3 << 3) | 0, type);
  writer.string((1 << 3) | 2, name);
  return writer.finish();
}

/** A TensorProto of strings. */
export function stringTensor(shape: readonly number[], strings: readonly Uint8Array[]): Buffer {
  const writer = new WireWriter(256);
  for (const text of strings.toReversed()) writer.bytes((8 << 3) | 2, text);
  writer.bytes((2 << 3) | 2, shapeProto(shape));
  writer.int((1 << 3) | 0, 7);
  return writer.finish();
}

/** A TensorProto of elements as bytes. */
export function plainTensor(dtype: number, shape: readonly number[], content: Uint8Array): Buffer {
  const writer = new WireWriter(content.byteLength + 64);
  writer.bytes((4 << 3) | 2, content);
  writer.bytes((2 << 3) | 2, shapeProto(shape));
  writer.int((1 << 3) | 0, dtype);
  return writer.finish();
}

/** Attributes of a Const node, without the value where that is streamed. */
export function constAttrs(dtype: number, value?: Buffer): Map<string, Buffer> {
  const attrs = new Map([["dtype", makeType(dtype)]]);
  if (value !== undefined) attrs.set("value", value);
  return attrs;
}
