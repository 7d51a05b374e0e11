import { isToolError } from "../../ground/errors/index.ts";
import { createHttpClient } from "../../ground/http/index.ts";
import { PROTOCOLS, protocolOf, type Protocol } from "../../serving/protocols/index.ts";
import type { ModelLabel } from "../shown/index.ts";

const METADATA_MS = 2000;
const MAX_METADATA_BYTES = 1 << 20;

/** A line for the shell that asks the model for a prediction, with zeros where the model says how many. */
export function sampleRequest(url: string, model: ModelLabel): string {
  return protocolFor(model).sample(model, url);
}

/** That of the model's contract; the first of the table for an image whose label names none that this version knows. */
function protocolFor({ contract }: ModelLabel): Protocol {
  const [first] = PROTOCOLS;
  return PROTOCOLS.find(({ name }) => name === contract) ?? first ?? protocolOf("seldon");
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
  if ((model.signature?.inputs?.length ?? 0) > 0 || protocolFor(model).name !== "seldon")
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
