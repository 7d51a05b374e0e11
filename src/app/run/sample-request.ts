import type { ModelLabel } from "../image-label.ts";

const MAX_NUMBERS = 64;
const JSON_HEADER = "-H 'Content-Type: application/json'";

/** A line for the shell that asks the model for a prediction, with zeros where the model says how many. */
export function sampleRequest(url: string, model: ModelLabel): string {
  const [input] = model.signature?.inputs ?? [];
  const rows = zeros(
    Array.isArray(input?.shape) ? input.shape : undefined,
    input?.datatype === "BYTES" ? '""' : "0",
  );
  if (model.contract === "uai") return `curl -s ${url}/service --data-binary @input`;
  if (model.contract === "kserve")
    return `curl -s ${url}/v1/models/${model.name ?? "model"}:predict ${JSON_HEADER} -d '{"instances":${rows}}'`;
  return `curl -s ${url}/predict ${JSON_HEADER} -d '{"data":{"ndarray":${rows}}}'`;
}

/**
 * The same, for a model that runs at `url`: where the image does not know the shape of the input, the running model's
 * metadata does when its class has `init_metadata`.
 */
export async function sampleRequestOf(
  url: string,
  model: ModelLabel,
  signal: AbortSignal,
): Promise<string> {
  if ((model.signature?.inputs?.length ?? 0) > 0 || model.contract === "uai")
    return sampleRequest(url, model);
  const input = await firstInput(url, signal);
  return sampleRequest(
    url,
    input === undefined ? model : { ...model, signature: { inputs: [input] } },
  );
}

/** What `/metadata` says of the first input, in either of the forms that Seldon knows; nothing when it says nothing that helps. */
async function firstInput(
  url: string,
  signal: AbortSignal,
): Promise<{ readonly shape: readonly number[]; readonly datatype: string } | undefined> {
  try {
    const answer = await fetch(`${url}/metadata`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(2000)]),
      redirect: "error",
    });
    const body: unknown = answer.ok ? await answer.json() : undefined;
    const input: unknown = member(body, "inputs", 0);
    const shape = member(input, "shape") ?? member(input, "schema", "shape");
    if (!isShape(shape)) return undefined;
    const rows = member(input, "schema") === undefined || shape.length > 1 ? shape : [-1, ...shape];
    return { shape: rows, datatype: member(input, "datatype") === "BYTES" ? "BYTES" : "FP64" };
  } catch {
    return undefined;
  }
}

function isShape(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((size) => typeof size === "number")
  );
}

function member(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined),
    value,
  );
}

/** Nested lists of a shape; a dimension that may be anything is 1. */
function zeros(shape: readonly unknown[] | undefined, zero: string): string {
  const sizes = (shape ?? [1, 3]).map((size) => (typeof size === "number" && size > 0 ? size : 1));
  if (sizes.reduce((product, size) => product * size, 1) > MAX_NUMBERS) return "[[…]]";
  return sizes.reduceRight(
    (inner, size) => `[${Array.from({ length: size }, () => inner).join(",")}]`,
    zero,
  );
}
