import type { ClassParameter } from "../python/index.ts";

/** Typed parameters as the one object that a constructor is given. @throws Error in the words of the Seldon wrapper */
export function parametersObject(
  parameters: readonly ClassParameter[],
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(parameters.map((parameter) => [parameter.name, typed(parameter)]));
}

function typed({ name, value, type }: ClassParameter): unknown {
  const text = String(value);
  switch (type) {
    case "STRING":
      return text;
    case "INT":
      return number({ name, text, type, pattern: /^\s*[-+]?\d+\s*$/ });
    case "FLOAT":
    case "DOUBLE":
      return number({ name, text, type, pattern: /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i });
    case "BOOL":
      return truth(text);
    default:
      throw new Error(`Bad model parameter: type ${type} of ${name} is not known`);
  }
}

function number({
  name,
  text,
  type,
  pattern,
}: {
  readonly name: string;
  readonly text: string;
  readonly type: string;
  readonly pattern: RegExp;
}): number {
  if (!pattern.test(text))
    throw new Error(`Bad model parameter: ${name} with value ${text} cannot be parsed as ${type}`);
  return Number(text);
}

function truth(text: string): boolean {
  const word = text.toLowerCase();
  if (["y", "yes", "t", "true", "on", "1"].includes(word)) return true;
  if (["n", "no", "f", "false", "off", "0"].includes(word)) return false;
  throw new Error(`invalid truth value '${text}'`);
}
