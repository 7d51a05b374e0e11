import { WireWriter } from "../../../ground/wire/index.ts";

/**
 * A `.proto` file as a table. Fields are written as in proto3 without the semicolon: `repeated string names = 1`,
 * `map<string, .google.protobuf.Value> tags = 2`; `enum` before a type that is one, `in NAME` behind a member of a oneof. A type without a
 * leading dot is one of the package.
 */
export interface ProtoFile {
  readonly name: string;
  readonly package: string;
  readonly imports?: readonly ProtoFile[];
  /** By name; one that is nested is named `Outer.Inner` and stands behind its outer one. */
  readonly messages?: Readonly<Record<string, readonly string[]>>;
  /** Names of the values from 0 on, by name of the enum; nested as messages are. A value may be `NAME = number`. */
  readonly enums?: Readonly<Record<string, readonly string[]>>;
  /** Methods as `Name(Request) Answer`, with `stream` before a type where many come. */
  readonly services?: Readonly<Record<string, readonly string[]>>;
}

const SCALARS: Readonly<Record<string, number>> = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
};
const MESSAGE_TYPE = 11;
const ENUM_TYPE = 14;
const REPEATED = 3;
const OPTIONAL = 1;

/** A file as a serialised `google.protobuf.FileDescriptorProto`. @see google/protobuf/descriptor.proto */
export function encodeFile(file: ProtoFile): Buffer {
  const writer = new WireWriter(2048);
  writer.string(98, "proto3");
  for (const [name, methods] of reversed(file.services))
    writer.embed(50, () => writeService(writer, { file, name, methods }));
  for (const [name, values] of reversed(file.enums))
    if (!name.includes(".")) writer.embed(42, () => writeEnum(writer, name, values));
  for (const [name] of reversed(file.messages))
    if (!name.includes(".")) writer.embed(34, () => writeMessage(writer, file, name));
  for (const { name } of (file.imports ?? []).toReversed()) writer.string(26, name);
  writer.string(18, file.package);
  writer.string(10, file.name);
  return writer.finish();
}

/** Full names of everything that a file declares: messages, enums, services and their methods. */
export function symbolsOf(file: ProtoFile): readonly string[] {
  const services = Object.entries(file.services ?? {}).flatMap(([service, methods]) => [
    service,
    ...methods.map((method) => `${service}.${method.slice(0, method.indexOf("("))}`),
  ]);
  return [...Object.keys(file.messages ?? {}), ...Object.keys(file.enums ?? {}), ...services].map(
    (name) => `${file.package}.${name}`,
  );
}

function writeMessage(writer: WireWriter, file: ProtoFile, name: string): void {
  const fields = (file.messages?.[name] ?? []).map(parseField);
  const oneofs = [...new Set(fields.flatMap(({ oneof }) => oneof ?? []))];
  for (const oneof of oneofs.toReversed()) writer.embed(66, () => writer.string(10, oneof));
  const isInside = (other: string): boolean =>
    other.startsWith(`${name}.`) && !other.slice(name.length + 1).includes(".");
  for (const [inner, values] of reversed(file.enums))
    if (isInside(inner))
      writer.embed(34, () => writeEnum(writer, inner.slice(name.length + 1), values));
  for (const [inner] of reversed(file.messages))
    if (isInside(inner)) writer.embed(26, () => writeMessage(writer, file, inner));
  for (const field of fields.toReversed())
    if (field.mapValue !== undefined) writer.embed(26, () => writeMapEntry(writer, file, field));
  for (const field of fields.toReversed())
    writer.embed(18, () => writeField(writer, { file, message: name, field, oneofs }));
  writer.string(10, name.slice(name.lastIndexOf(".") + 1));
}

interface Field {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly isEnum: boolean;
  readonly isRepeated: boolean;
  readonly oneof: string | undefined;
  /** Type of the values of a map from text. */
  readonly mapValue: string | undefined;
}

const FIELD =
  /^(repeated )?(enum )?(?:map<string, ([\w.]+)>|([\w.]+)) (\w+) = (\d+)(?: in (\w+))?$/;

function parseField(text: string): Field {
  const match = FIELD.exec(text);
  if (match === null) throw new Error(`"${text}" is no field`);
  const [, repeated, isEnum, mapValue, type = "", name = "", number = "", oneof] = match;
  return {
    name,
    number: Number(number),
    type,
    isEnum: isEnum !== undefined,
    isRepeated: repeated !== undefined || mapValue !== undefined,
    oneof,
    mapValue,
  };
}

interface FieldPlace {
  readonly file: ProtoFile;
  readonly message: string;
  readonly field: Field;
  readonly oneofs: readonly string[];
}

function writeField(writer: WireWriter, { file, message, field, oneofs }: FieldPlace): void {
  const type = field.mapValue === undefined ? field.type : `${message}.${entryName(field.name)}`;
  if (field.oneof !== undefined) writer.int(72, oneofs.indexOf(field.oneof));
  writeType(writer, { file, type, isEnum: field.isEnum });
  writer.int(32, field.isRepeated ? REPEATED : OPTIONAL);
  writer.int(24, field.number);
  writer.string(10, field.name);
}

/** A map is a repeated message of its own. */
function writeMapEntry(writer: WireWriter, file: ProtoFile, { name, mapValue = "" }: Field): void {
  writer.embed(58, () => writer.int(56, 1));
  for (const [field, number, type] of [
    ["value", 2, mapValue],
    ["key", 1, "string"],
  ] as const) {
    writer.embed(18, () => {
      writeType(writer, { file, type, isEnum: false });
      writer.int(32, OPTIONAL);
      writer.int(24, number);
      writer.string(10, field);
    });
  }
  writer.string(10, entryName(name));
}

function entryName(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1).replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())}Entry`;
}

function writeType(
  writer: WireWriter,
  {
    file,
    type,
    isEnum,
  }: { readonly file: ProtoFile; readonly type: string; readonly isEnum: boolean },
): void {
  const scalar = SCALARS[type];
  if (scalar === undefined) writer.string(50, fullName(file, type));
  writer.int(40, scalar ?? (isEnum ? ENUM_TYPE : MESSAGE_TYPE));
}

function writeEnum(writer: WireWriter, name: string, values: readonly string[]): void {
  for (const [index, value] of [...values.entries()].toReversed()) {
    const [label = "", number = index] = value.split(" = ");
    writer.embed(18, () => {
      writer.int(16, Number(number));
      writer.string(10, label);
    });
  }
  writer.string(10, name);
}

const METHOD = /^(\w+)\((stream )?([\w.]+)\) (stream )?([\w.]+)$/;

function writeService(
  writer: WireWriter,
  {
    file,
    name,
    methods,
  }: { readonly file: ProtoFile; readonly name: string; readonly methods: readonly string[] },
): void {
  for (const method of methods.toReversed()) {
    const match = METHOD.exec(method);
    if (match === null) throw new Error(`"${method}" is no method`);
    const [, label = "", takesMany, request = "", givesMany, answer = ""] = match;
    writer.embed(18, () => {
      if (givesMany !== undefined) writer.int(48, 1);
      if (takesMany !== undefined) writer.int(40, 1);
      writer.string(26, fullName(file, answer));
      writer.string(18, fullName(file, request));
      writer.string(10, label);
    });
  }
  writer.string(10, name);
}

function fullName(file: ProtoFile, type: string): string {
  return type.startsWith(".") ? type : `.${file.package}.${type}`;
}

function reversed<T>(
  table: Readonly<Record<string, T>> | undefined,
): readonly (readonly [string, T])[] {
  return Object.entries(table ?? {}).toReversed();
}
