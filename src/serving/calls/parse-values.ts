import type { Datatype, TensorSpec } from "../../models/tensor/index.ts";
import { elementsIn, ValueError, type TensorValue } from "./shape.ts";

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const INTEGER = /^[+-]?\d+$/;

/** One element as a JSON literal. @throws ValueError naming it */
export function literalOf(text: string, datatype: Datatype): string {
  const word = text.trim();
  if (datatype === "BYTES") return JSON.stringify(text);
  if (datatype === "BOOL") {
    if (/^(?:true|1|yes)$/i.test(word)) return "true";
    if (/^(?:false|0|no)$/i.test(word)) return "false";
    throw new ValueError(`"${word}" is not true or false`);
  }
  const isWhole = /^U?INT/.test(datatype);
  if (!(isWhole ? INTEGER : NUMBER).test(word))
    throw new ValueError(`"${word}" is not a ${isWhole ? "whole number" : "number"}`);
  const plain = word.replace(/^\+/, "").replace(/^(-?)0+(?=\d)/, "$1");
  return plain.replace(/^(-?)\./, "$10.").replace(/\.(?=e|$)/i, "");
}

/** Lines of values with commas, semicolons, tabs or blanks between them; a first line of names is left out. @throws ValueError naming the line */
export function parseCsv(spec: TensorSpec, text: string): TensorValue {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const rows = lines.map(cellsOf);
  const isHeading = rows.length > 1 && rows[0]?.every((cell) => !NUMBER.test(cell.trim())) === true;
  const data = isHeading && spec.datatype !== "BYTES" ? rows.slice(1) : rows;
  const [first = []] = data;
  const uneven = data.findIndex((row) => row.length !== first.length);
  if (uneven >= 0)
    throw new ValueError(
      `line ${uneven + 1} has ${data[uneven]?.length ?? 0} values, the first one has ${first.length}`,
    );
  const literals = data.flatMap((row) => row.map((cell) => literalOf(cell, spec.datatype)));
  return shaped(spec, [data.length, first.length], literals);
}

function cellsOf(line: string): readonly string[] {
  if (/[",;\t]/.test(line))
    return [...line.matchAll(/(?:^|[,;\t])\s*(?:"((?:[^"]|"")*)"|([^,;\t]*))/g)].map(
      ([, quoted, plain = ""]) => quoted?.replaceAll('""', '"') ?? plain.trim(),
    );
  return line.trim().split(/\s+/);
}

/** A JSON value: nested lists, or one value. @throws ValueError */
export function parseJsonValue(spec: TensorSpec, text: string): TensorValue {
  const { shape, literals } = flatten(text, spec.datatype);
  return shaped(spec, shape, literals);
}

/** Texts, one in a line. */
export function parseLines(spec: TensorSpec, text: string): TensorValue {
  const lines = text.replace(/\n$/, "").split("\n");
  return shaped(
    spec,
    [lines.length],
    lines.map((line) => literalOf(line, spec.datatype)),
  );
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[[\],{}:]|[^\s[\],{}:]+/g;

/** Reads nested lists without a detour over doubles, so that 64-bit integers stay as they were typed. */
function flatten(
  text: string,
  datatype: Datatype,
): { readonly shape: readonly number[]; readonly literals: readonly string[] } {
  checkJson(text);
  const lists = new OpenLists();
  const literals: string[] = [];
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "]") lists.close();
    else if (token === "[") lists.open();
    else if (token !== ",") {
      lists.count();
      literals.push(literalOf(valueOf(token), datatype));
    }
  }
  return { shape: lists.sizes, literals };
}

/** @throws ValueError for text that is no JSON, in the browser's words */
export function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new ValueError(error instanceof Error ? error.message : String(error));
  }
}

/** A value as it was typed, or the text inside quotes. */
function valueOf(token: string): string {
  if (/^[{}:]$/.test(token)) throw new ValueError("a list is wanted, not an object");
  return token.startsWith('"') ? String(JSON.parse(token)) : token;
}

/** Lists inside lists while they are read; those of one depth are of one size. */
class OpenLists {
  /** Of each depth, outermost first. */
  readonly sizes: number[] = [];
  readonly #counts: number[] = [];

  count(): void {
    const last = this.#counts.length - 1;
    if (last >= 0) this.#counts[last] = (this.#counts[last] ?? 0) + 1;
  }

  open(): void {
    this.count();
    this.#counts.push(0);
  }

  close(): void {
    const count = this.#counts.pop() ?? 0;
    const size = (this.sizes[this.#counts.length] ??= count);
    if (size !== count) throw new ValueError(`lists of ${size} and of ${count} stand side by side`);
  }
}

/**
 * Gives values the shape that the input wants: axes of 1 are added or left out in front, and where the count fits, values are laid out anew.
 * @throws ValueError naming both shapes
 */
function shaped(
  spec: TensorSpec,
  shape: readonly number[],
  literals: readonly string[],
): TensorValue {
  const found = spec.isRankUnknown === true ? shape : fit(spec.shape, shape, literals.length);
  if (found === undefined || elementsIn(found) !== literals.length)
    throw new ValueError(
      `the shape is [${shape.join(", ")}], and [${spec.shape.join(", ")}] is wanted`,
    );
  return { name: spec.name, datatype: spec.datatype, shape: found, literals };
}

function fit(
  wanted: readonly number[],
  shape: readonly number[],
  count: number,
): readonly number[] | undefined {
  if (matches(wanted, shape)) return shape;
  const free = wanted.filter((size) => size < 0).length;
  const fixed = wanted.reduce((product, size) => (size < 0 ? product : product * size), 1);
  if (free === 0) return fixed === count ? wanted : undefined;
  if (free > 1 || count % fixed !== 0 || count === 0) {
    const padded = [...Array.from({ length: wanted.length - shape.length }, () => 1), ...shape];
    return matches(wanted, padded) ? padded : undefined;
  }
  return wanted.map((size) => (size < 0 ? count / fixed : size));
}

function matches(wanted: readonly number[], shape: readonly number[]): boolean {
  return (
    wanted.length === shape.length && wanted.every((size, axis) => size < 0 || size === shape[axis])
  );
}
