import { isList, JsonNumber, type JsonNode } from "./json-node.ts";

const ESCAPED = /[\\\n\r\t\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
const SHORT: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** A JSON value as Python's `repr` shows it; error messages of the Seldon wrapper carry it. */
export function pythonRepr(node: JsonNode): string {
  if (node === null) return "None";
  if (typeof node === "boolean") return node ? "True" : "False";
  if (typeof node === "string") return reprText(node);
  if (node instanceof JsonNumber) return numberText(node);
  if (isList(node)) return `[${node.map(pythonRepr).join(", ")}]`;
  return `{${[...node].map(([key, value]) => `${reprText(key)}: ${pythonRepr(value)}`).join(", ")}}`;
}

/** As Python's `str` shows it: text at the top stands without quotes. */
export function pythonStr(node: JsonNode): string {
  return typeof node === "string" ? node : pythonRepr(node);
}

/** Name of the Python type that `json` makes of a value. */
export function pythonType(node: JsonNode): string {
  if (node === null) return "NoneType";
  if (typeof node === "boolean") return "bool";
  if (typeof node === "string") return "str";
  if (node instanceof JsonNumber) return node.isFloat ? "float" : "int";
  return isList(node) ? "list" : "dict";
}

function numberText({ text }: JsonNumber): string {
  if (text === "NaN") return "nan";
  return text.replace("Infinity", "inf");
}

function reprText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(
    ESCAPED,
    (unit) => SHORT[unit] ?? hexEscape(unit.codePointAt(0) ?? 0),
  );
  return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote;
}

function hexEscape(code: number): string {
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x1_0000
    ? `\\u${code.toString(16).padStart(4, "0")}`
    : `\\U${code.toString(16).padStart(8, "0")}`;
}
