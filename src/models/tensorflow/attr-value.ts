import { WireReader, WireWriter } from "../../ground/wire/index.ts";
import type { AttrBytes } from "./graph-def.ts";
import { parseShape } from "./tensor-protos.ts";

/** Field numbers of AttrValue; those of its list are the same but for `func`. @see tensorflow, core/framework/attr_value.proto */
const FIELD = { list: 1, s: 2, i: 3, f: 4, b: 5, type: 6, shape: 7, tensor: 8, func: 10 } as const;
const LIST_FUNC = 9;

/** The type that an attribute says; 0 when it says none. */
export function typeAttr(attr: AttrBytes | undefined): number {
  return Number(varintField(attr, FIELD.type) ?? 0n);
}

/** The whole number that an attribute says. */
export function intAttr(attr: AttrBytes | undefined): number | undefined {
  const value = varintField(attr, FIELD.i);
  return value === undefined ? undefined : Number(value);
}

/** The truth value that an attribute says; `undefined` when it says none. */
export function boolAttr(attr: AttrBytes | undefined): boolean | undefined {
  const value = varintField(attr, FIELD.b);
  return value === undefined ? undefined : value !== 0n;
}

/** The text that an attribute says; empty when it says none. */
export function textAttr(attr: AttrBytes | undefined): string {
  return bytesField(attr, FIELD.s)?.toString("utf8") ?? "";
}

/** The shape that an attribute says, -1 for unknown sizes; `undefined` for an unknown rank or no shape. */
export function shapeAttr(attr: AttrBytes | undefined): readonly number[] | undefined {
  const bytes = bytesField(attr, FIELD.shape);
  return bytes === undefined ? undefined : parseShape(bytes);
}

/** The TensorProto in an attribute. */
export function tensorAttr(attr: AttrBytes | undefined): Buffer | undefined {
  return bytesField(attr, FIELD.tensor);
}

/** The types in a list. */
export function typeListAttr(attr: AttrBytes | undefined): readonly number[] {
  const list = bytesField(attr, FIELD.list);
  if (list === undefined) return [];
  const types: number[] = [];
  const reader = new WireReader(list);
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((FIELD.type << 3) | 0)) types.push(reader.int32());
    else if (tag === ((FIELD.type << 3) | 2)) {
      const outer = reader.enter();
      while (reader.at < reader.end) types.push(reader.int32());
      reader.leave(outer);
    } else reader.skip(tag);
  }
  return types;
}

/** The shapes in a list; `undefined` for an unknown rank. */
export function shapeListAttr(
  attr: AttrBytes | undefined,
): readonly (readonly number[] | undefined)[] {
  return listFields(attr, FIELD.shape).map(parseShape);
}

/** Names of the functions that an attribute speaks of, alone or in a list. */
export function functionNames(attr: AttrBytes | undefined): readonly string[] {
  const alone = bytesField(attr, FIELD.func);
  const all = alone === undefined ? listFields(attr, LIST_FUNC) : [alone];
  return all.map((bytes) => nameOfFunction(bytes));
}

/** The same attribute with functions under other names; attributes of functions are kept. */
export function renameFunctions(
  attr: AttrBytes,
  rename: (name: string, index: number) => string,
): AttrBytes {
  const renamed = (bytes: Buffer, index: number): Buffer => {
    const writer = new WireWriter();
    const others = fieldsExcept(bytes, 1);
    writer.raw(others);
    writer.string((1 << 3) | 2, rename(nameOfFunction(bytes), index));
    return writer.finish();
  };
  const alone = bytesField(attr, FIELD.func);
  if (alone !== undefined) return wrap(FIELD.func, renamed(alone, 0));
  const list = new WireWriter();
  for (const [index, bytes] of [...listFields(attr, LIST_FUNC).entries()].reverse())
    list.bytes((LIST_FUNC << 3) | 2, renamed(bytes, index));
  return wrap(FIELD.list, list.finish());
}

/** An attribute that says a type. */
export function makeType(dtype: number): AttrBytes {
  return makeVarint(FIELD.type, dtype);
}

/** An attribute that says a whole number. */
export function makeInt(value: number): AttrBytes {
  return makeVarint(FIELD.i, value);
}

/** An attribute that says yes or no. */
export function makeBool(value: boolean): AttrBytes {
  return makeVarint(FIELD.b, value ? 1 : 0);
}

/** An attribute that says a 32-bit number. */
export function makeFloat(value: number): AttrBytes {
  const writer = new WireWriter();
  writer.float((FIELD.f << 3) | 5, value);
  return writer.finish();
}

/** An attribute that says text. */
export function makeText(value: string): AttrBytes {
  return wrap(FIELD.s, Buffer.from(value));
}

/** An attribute with a list of whole numbers. */
export function makeIntList(values: readonly number[]): AttrBytes {
  const list = new WireWriter();
  for (const value of values.toReversed()) list.int((FIELD.i << 3) | 0, value);
  return wrap(FIELD.list, list.finish());
}

/** An attribute that says a shape; -1 for unknown sizes, `undefined` for an unknown rank. */
export function makeShape(shape: readonly number[] | undefined): AttrBytes {
  return wrap(FIELD.shape, shapeProto(shape));
}

/** An attribute with a list of types. */
export function makeTypeList(types: readonly number[]): AttrBytes {
  const list = new WireWriter();
  for (const type of types.toReversed()) list.int((FIELD.type << 3) | 0, type);
  return wrap(FIELD.list, list.finish());
}

/** An attribute with a list of shapes. */
export function makeShapeList(shapes: readonly (readonly number[] | undefined)[]): AttrBytes {
  const list = new WireWriter();
  for (const shape of shapes.toReversed()) list.bytes((FIELD.shape << 3) | 2, shapeProto(shape));
  return wrap(FIELD.list, list.finish());
}

/** An attribute with a TensorProto. */
export function makeTensor(tensor: Uint8Array): AttrBytes {
  return wrap(FIELD.tensor, tensor);
}

/** A TensorShapeProto. */
export function shapeProto(shape: readonly number[] | undefined): Buffer {
  const writer = new WireWriter(64);
  if (shape === undefined) writer.int((3 << 3) | 0, 1);
  for (const size of shape?.toReversed() ?? []) {
    const from = writer.size;
    writer.int((1 << 3) | 0, size);
    writer.close((2 << 3) | 2, from);
  }
  return writer.finish();
}

/** A message without one of its fields. */
function fieldsExcept(bytes: Buffer, number: number): Buffer {
  const kept: Buffer[] = [];
  const reader = new WireReader(bytes);
  for (let start = 0, tag = reader.tag(); tag !== 0; start = reader.at, tag = reader.tag()) {
    reader.skip(tag);
    if (tag >>> 3 !== number) kept.push(bytes.subarray(start, reader.at));
  }
  return Buffer.concat(kept);
}

function nameOfFunction(bytes: Buffer): string {
  const reader = new WireReader(bytes);
  let name = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 2)) name = reader.string();
    else reader.skip(tag);
  }
  return name;
}

function listFields(attr: AttrBytes | undefined, number: number): readonly Buffer[] {
  const list = bytesField(attr, FIELD.list);
  if (list === undefined) return [];
  const found: Buffer[] = [];
  const reader = new WireReader(list);
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((number << 3) | 2)) found.push(reader.bytes());
    else reader.skip(tag);
  }
  return found;
}

function varintField(attr: AttrBytes | undefined, number: number): bigint | undefined {
  if (attr === undefined) return undefined;
  const reader = new WireReader(attr);
  let value: bigint | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((number << 3) | 0)) value = reader.int64();
    else reader.skip(tag);
  }
  return value;
}

function bytesField(attr: AttrBytes | undefined, number: number): Buffer | undefined {
  if (attr === undefined) return undefined;
  const reader = new WireReader(attr);
  let value: Buffer | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((number << 3) | 2)) value = reader.bytes();
    else reader.skip(tag);
  }
  return value;
}

function makeVarint(number: number, value: number): AttrBytes {
  const writer = new WireWriter(24);
  writer.int((number << 3) | 0, value);
  return writer.finish();
}

function wrap(number: number, bytes: Uint8Array): AttrBytes {
  const writer = new WireWriter(bytes.byteLength + 16);
  writer.bytes((number << 3) | 2, bytes);
  return writer.finish();
}
