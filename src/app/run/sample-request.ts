import { isToolError } from "../../ground/errors/index.ts";
import { createHttpClient } from "../../ground/http/index.ts";
import type { ModelLabel } from "../image-label.ts";

const MAX_NUMBERS = 64;
const METADATA_MS = 2000;
const MAX_METADATA_BYTES = 1 << 20;
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
  using client = createHttpClient();
  const enough = AbortSignal.any([signal, AbortSignal.timeout(METADATA_MS)]);
  try {
    const answer = await client.send({
      action: "ask the model",
      method: "GET",
      url: new URL(`${url}/metadata`),
      signal: enough,
    });
    const text = Buffer.from(await answer.readBytes(MAX_METADATA_BYTES)).toString("utf8");
    const body: unknown = answer.status === 200 ? JSON.parse(text) : undefined;
    const input: unknown = member(body, "inputs", 0);
    const shape = member(input, "shape") ?? member(input, "schema", "shape");
    if (!isShape(shape)) return undefined;
    const rows = member(input, "schema") === undefined || shape.length > 1 ? shape : [-1, ...shape];
    return { shape: rows, datatype: member(input, "datatype") === "BYTES" ? "BYTES" : "FP64" };
  } catch (error) {
    // No answer, a late one, or one that is no JSON: the line shows a shape of our own then.
    if (enough.aborted || isToolError(error) || error instanceof SyntaxError) return undefined;
    throw error;
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
