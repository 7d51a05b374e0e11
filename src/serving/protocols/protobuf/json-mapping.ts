import { WireError } from "../../../ground/wire/index.ts";
import type { ProtoFile } from "../../transport/index.ts";

/** A field of a message, as its text in a descriptor says it. */
export interface MappedField {
  readonly name: string;
  /** As protobuf's JSON form writes it. */
  readonly jsonName: string;
  readonly number: number;
  readonly type: MappedType;
  readonly isRepeated: boolean;
}

/** Scalars by their names; messages and enums by their full ones. */
export type MappedType =
  | { readonly kind: "scalar"; readonly name: string }
  | { readonly kind: "enum"; readonly values: ReadonlyMap<number, string> }
  | { readonly kind: "message"; readonly name: string }
  | { readonly kind: "map"; readonly value: MappedType };

/** Fields of messages by the full names of these. */
export type MessageFields = (message: string) => readonly MappedField[];

const FIELD =
  /^(repeated |enum |)(map<string, (?<value>[^>]+)>|[.\w]+) (?<name>\w+) = (?<number>\d+)(?: in \w+)?$/;

/** Reads the descriptors of a file and of those that it imports, each message once. */
export function fieldsOfMessages(file: ProtoFile): MessageFields {
  const files = filesBelow(file);
  const known = new Map<string, readonly MappedField[]>();
  return (message) => {
    const found = known.get(message);
    if (found !== undefined) return found;
    const owner = files.find((one) => localName(message, one) in (one.messages ?? {}));
    if (owner === undefined) throw new WireError(`no message is called "${message}"`);
    const fields = (owner.messages?.[localName(message, owner)] ?? []).map((text) =>
      fieldOf(text, owner),
    );
    known.set(message, fields);
    return fields;
  };
}

function filesBelow(file: ProtoFile): readonly ProtoFile[] {
  return [file, ...(file.imports ?? []).flatMap(filesBelow)];
}

/** Empty for a message of another package. */
function localName(message: string, { package: name }: ProtoFile): string {
  return message.startsWith(`${name}.`) ? message.slice(name.length + 1) : "";
}

function fieldOf(text: string, file: ProtoFile): MappedField {
  const match = FIELD.exec(text);
  const { name = "", number = "0", value } = match?.groups ?? {};
  const [, word = "", type = ""] = match ?? [];
  return {
    name,
    jsonName: name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    number: Number(number),
    isRepeated: word === "repeated ",
    type:
      value === undefined
        ? typeOf(type, word === "enum ", file)
        : { kind: "map", value: typeOf(value, false, file) },
  };
}

const SCALARS: ReadonlySet<string> = new Set([
  "double",
  "float",
  "int32",
  "int64",
  "uint32",
  "uint64",
  "bool",
  "string",
  "bytes",
]);

function typeOf(
  text: string,
  isEnum: boolean,
  { package: name, enums = {} }: ProtoFile,
): MappedType {
  if (isEnum) return { kind: "enum", values: valuesOf(enums[text] ?? []) };
  if (SCALARS.has(text)) return { kind: "scalar", name: text };
  return { kind: "message", name: text.startsWith(".") ? text.slice(1) : `${name}.${text}` };
}

function valuesOf(names: readonly string[]): ReadonlyMap<number, string> {
  return new Map(
    names.map((text, index) => {
      const [name = "", number] = text.split(" = ");
      return [number === undefined ? index : Number(number), name];
    }),
  );
}
