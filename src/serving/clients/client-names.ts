import type { TensorSpec } from "../../models/tensor/index.ts";

/** A model that a client has a method for. */
export interface ClientModel {
  readonly name: string;
  /** One or more; none of FP16 or BF16, which JSON does not carry over V2. */
  readonly inputs: readonly TensorSpec[];
  /** The same. */
  readonly outputs: readonly TensorSpec[];
}

/** What a client is made of. */
export interface ClientFacts {
  /** Says how it was made, such as the command line; one line. */
  readonly madeBy: string;
  readonly models: readonly ClientModel[];
  /** What a reader should know, such as which models are left out; lines. */
  readonly notes: readonly string[];
}

/**
 * A name as an identifier of TypeScript and of Python: what may not stand in one becomes `_`. Nothing begins with `_`, which the clients'
 * own names do, but what would begin with a digit.
 */
export function identifierOf(name: string): string {
  const text = name
    .normalize("NFKC")
    .replace(/[^\p{XID_Continue}]+/gu, "_")
    .replace(/^_+|_+$/g, "");
  if (text === "") return "unnamed";
  return /^\p{XID_Start}/u.test(text) ? text : `_${text}`;
}

/** `add_sub` as `AddSub`, for types. */
export function typeNameOf(name: string): string {
  const words = identifierOf(name).split("_").map(capitalized).join("");
  return /^\p{XID_Start}/u.test(words) ? words : `Model${words}`;
}

/** `add_sub` as `addSub`. */
export function camelCaseOf(name: string): string {
  const [first = "", ...others] = identifierOf(name).split("_");
  return first === "" ? identifierOf(name) : `${first}${others.map(capitalized).join("")}`;
}

function capitalized(word: string): string {
  const [first = "", ...rest] = Array.from(word);
  return `${first.toUpperCase()}${rest.join("")}`.normalize("NFKC");
}

/** A name for each of the names, no two of them the same: what would be is numbered. @param taken - names that none may have */
export function uniqueNames(
  names: readonly string[],
  make: (name: string) => string,
  taken: readonly string[] = [],
): readonly string[] {
  const used = new Set(taken);
  const counts = new Map<string, number>();
  return names.map((name) => {
    const wanted = make(name);
    let count = counts.get(wanted) ?? 1;
    let found = wanted;
    for (; used.has(found); found = `${wanted}_${count}`) count += 1;
    counts.set(wanted, count);
    used.add(found);
    return found;
  });
}

/** A text as a literal of TypeScript and of Python; also inside of comments, where it neither ends them nor begins a line. */
export function literalText(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029]|\*\//gu, (found) =>
    found === "*/" ? "*\\u002f" : `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A text without anything that would end its line. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
}
