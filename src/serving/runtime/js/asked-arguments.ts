/** What `predict` of the typed contract may ask for beside its inputs, as arguments of these names. */
const ASKED = ["parameters", "headers", "requestId", "outputs"] as const;
export type PredictArgument = (typeof ASKED)[number];

/**
 * The arguments that a function of the typed contract asks for behind `inputs`, in its order; undefined for a function of another contract.
 * Known by the names: the first argument is `inputs`, and the others are of `ASKED` or have defaults.
 */
export function askedArguments(
  method: unknown,
): readonly (PredictArgument | undefined)[] | undefined {
  if (typeof method !== "function") return undefined;
  const [first, ...others] = argumentsIn(Function.prototype.toString.call(method));
  if (first?.name !== "inputs") return undefined;
  const asked = others.map(({ name }) => ASKED.find((one) => one === name));
  return others.every(({ hasDefault }, at) => hasDefault || asked[at] !== undefined)
    ? asked
    : undefined;
}

interface Argument {
  readonly name: string;
  readonly hasDefault: boolean;
}

/** Comments and texts, in which brackets and commas mean nothing. */
const SILENT = /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`/g;
const OPENING = "([{";
const CLOSING = ")]}";

/** Arguments of a function by its source. */
function argumentsIn(source: string): readonly Argument[] {
  const text = source.replaceAll(SILENT, " ");
  const single = /^(?:async\s+)?([\w$]+)\s*=>/.exec(text)?.[1];
  if (single !== undefined) return [{ name: single, hasDefault: false }];
  const pieces: string[] = [];
  let [depth, piece] = [0, ""];
  for (const character of text.slice(text.indexOf("("))) {
    if (CLOSING.includes(character)) depth -= 1;
    if (depth === 0 || (depth === 1 && character === ",")) {
      if (piece.trim() !== "") pieces.push(piece.trim());
      piece = "";
      if (CLOSING.includes(character)) break;
    } else if (depth > 0) piece += character;
    if (OPENING.includes(character)) depth += 1;
  }
  return pieces.map((one) => ({
    name: /^[\w$]+/.exec(one)?.[0] ?? "",
    hasDefault: /^[\w$]+\s*=/.test(one) || one.startsWith("..."),
  }));
}
