/**
 * How the argument of an opcode is written: nothing, a number of so many bytes, a line, two lines, or content after its length.
 * `i` is signed, all little-endian but `f8be`.
 */
export type ArgumentForm =
  | { readonly kind: "none" }
  | { readonly kind: "number"; readonly bytes: 1 | 2 | 4 | 8; readonly isSigned?: boolean }
  | { readonly kind: "float" }
  | { readonly kind: "line"; readonly as: "int" | "float" | "text" | "string" }
  | { readonly kind: "lines" }
  | {
      readonly kind: "content";
      readonly lengthBytes: 1 | 4 | 8;
      readonly as: "text" | "bytes" | "long";
    };

/** An opcode: what it does, by a name of `STEPS`, and its argument. */
export interface Opcode {
  readonly step: string;
  readonly form: ArgumentForm;
}

const NONE: ArgumentForm = { kind: "none" };
const U1: ArgumentForm = { kind: "number", bytes: 1 };
const U2: ArgumentForm = { kind: "number", bytes: 2 };
const U4: ArgumentForm = { kind: "number", bytes: 4 };
const U8: ArgumentForm = { kind: "number", bytes: 8 };
const I4: ArgumentForm = { kind: "number", bytes: 4, isSigned: true };
const LINE: ArgumentForm = { kind: "line", as: "text" };

const content = (lengthBytes: 1 | 4 | 8, as: "text" | "bytes" | "long"): ArgumentForm => ({
  kind: "content",
  lengthBytes,
  as,
});
const line = (as: "int" | "float" | "text" | "string"): ArgumentForm => ({ kind: "line", as });

/** Opcodes by their byte, in the order of the protocol that brought them. @see CPython, Lib/pickletools.py */
export const OPCODES: ReadonlyMap<number, Opcode> = new Map(
  (
    [
      ["(", "MARK", NONE],
      [".", "STOP", NONE],
      ["0", "POP", NONE],
      ["1", "POP_MARK", NONE],
      ["2", "DUP", NONE],
      ["F", "VALUE", line("float")],
      ["I", "VALUE", line("int")],
      ["L", "VALUE", line("int")],
      ["S", "VALUE", line("string")],
      ["V", "VALUE", LINE],
      ["N", "NONE", NONE],
      ["P", "PERSID", LINE],
      ["Q", "BINPERSID", NONE],
      ["R", "REDUCE", NONE],
      ["b", "BUILD", NONE],
      ["c", "GLOBAL", { kind: "lines" }],
      ["i", "INST", { kind: "lines" }],
      ["o", "OBJ", NONE],
      ["a", "APPEND", NONE],
      ["e", "APPENDS", NONE],
      ["s", "SETITEM", NONE],
      ["u", "SETITEMS", NONE],
      ["d", "DICT", NONE],
      ["}", "EMPTY_DICT", NONE],
      ["l", "LIST", NONE],
      ["]", "EMPTY_LIST", NONE],
      ["t", "TUPLE", NONE],
      [")", "EMPTY_TUPLE", NONE],
      ["g", "GET", line("int")],
      ["h", "GET", U1],
      ["j", "GET", U4],
      ["p", "PUT", line("int")],
      ["q", "PUT", U1],
      ["r", "PUT", U4],
      ["J", "VALUE", I4],
      ["K", "VALUE", U1],
      ["M", "VALUE", U2],
      ["G", "VALUE", { kind: "float" }],
      ["T", "VALUE", content(4, "text")],
      ["U", "VALUE", content(1, "text")],
      ["X", "VALUE", content(4, "text")],
      ["\x80", "PROTO", U1],
      ["\x81", "NEWOBJ", NONE],
      ["\x82", "EXT", U1],
      ["\x83", "EXT", U2],
      ["\x84", "EXT", I4],
      ["\x85", "TUPLE1", NONE],
      ["\x86", "TUPLE2", NONE],
      ["\x87", "TUPLE3", NONE],
      ["\x88", "NEWTRUE", NONE],
      ["\x89", "NEWFALSE", NONE],
      ["\x8a", "VALUE", content(1, "long")],
      ["\x8b", "VALUE", content(4, "long")],
      ["B", "VALUE", content(4, "bytes")],
      ["C", "VALUE", content(1, "bytes")],
      ["\x8c", "VALUE", content(1, "text")],
      ["\x8d", "VALUE", content(8, "text")],
      ["\x8e", "VALUE", content(8, "bytes")],
      ["\x8f", "EMPTY_SET", NONE],
      ["\x90", "ADDITEMS", NONE],
      ["\x91", "FROZENSET", NONE],
      ["\x92", "NEWOBJ_EX", NONE],
      ["\x93", "STACK_GLOBAL", NONE],
      ["\x94", "MEMOIZE", NONE],
      ["\x95", "FRAME", U8],
      ["\x96", "VALUE", content(8, "bytes")],
      ["\x97", "NEXT_BUFFER", NONE],
      ["\x98", "READONLY_BUFFER", NONE],
    ] satisfies readonly (readonly [string, string, ArgumentForm])[]
  ).map(([char, step, form]) => [char.charCodeAt(0), { step, form }]),
);
