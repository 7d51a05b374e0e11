import type { StatedTensor } from "../contracts.ts";

/** A method of a TorchScript module, as its serialized code states it. */
export interface ScriptMethod {
  readonly name: string;
  /** `(x: Tensor, sr: int) -> Tensor`, without the module itself. */
  readonly signature: string;
  readonly inputs: readonly StatedTensor[];
  readonly outputs: readonly StatedTensor[];
}

/** Where the code of a class stands in the archive: `__torch__.a.B` is class `B` in `code/__torch__/a.py`. */
export function codePathOf(className: string): { readonly path: string; readonly name: string } {
  const parts = className.split(".");
  const name = parts.pop() ?? "";
  return { path: `code/${parts.join("/")}.py`, name };
}

/** Methods of a class in serialized code. */
export function methodsIn(code: string, className: string): readonly ScriptMethod[] {
  const start = code.search(new RegExp(`^class ${escapeExpression(className)}\\(`, "m"));
  if (start < 0) return [];
  const rest = code.slice(start + 1);
  const end = rest.search(/^class /m);
  const body = end < 0 ? rest : rest.slice(0, end);
  const found = body.matchAll(/^ {2}def (\w+)\(self: [\w.]+(?:,\s*([^)]*?))?\) -> ([^\n]*):$/gm);
  return [...found].map(([, name = "", parameters = "", result = ""]) => {
    const parts = splitTop(parameters);
    return {
      name,
      signature: `(${parts.join(", ")}) -> ${result}`,
      inputs: parts.map(parameterTensor),
      outputs: resultTensors(result),
    };
  });
}

/** Parts between commas that stand in no bracket. */
function splitTop(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const character of text.replaceAll(/\s+/g, " ")) {
    if (character === "[") depth += 1;
    if (character === "]") depth -= 1;
    if (character === "," && depth === 0) {
      parts.push(part.trim());
      part = "";
    } else part += character;
  }
  return [...parts, part.trim()].filter((one) => one !== "");
}

const SCALARS: Readonly<Record<string, string>> = {
  int: "INT64",
  float: "FP64",
  bool: "BOOL",
  str: "BYTES",
};

function parameterTensor(parameter: string): StatedTensor {
  const colon = parameter.indexOf(":");
  const name = parameter.slice(0, colon).trim();
  const [type = "", value] = parameter.slice(colon + 1).split("=");
  const inner = /^Optional\[(.*)\]$/.exec(type.trim())?.[1];
  const isOptional = value !== undefined || inner !== undefined;
  return { ...typed(name, inner ?? type.trim()), ...(isOptional && { isOptional }) };
}

function typed(name: string, type: string): StatedTensor {
  const scalar = SCALARS[type];
  if (scalar !== undefined) return { name, datatype: scalar, shape: [] };
  return { name, ...(type !== "Tensor" && { datatype: type }), shape: null };
}

function resultTensors(result: string): readonly StatedTensor[] {
  const tuple = /^Tuple\[(.*)\]$/.exec(result)?.[1];
  const types = tuple === undefined ? [result] : splitTop(tuple);
  return types.map((type, index) => typed(`output_${index}`, type));
}

function escapeExpression(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
