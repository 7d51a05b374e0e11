import type { ModelLabel } from "./render/image.ts";

const MAX_NUMBERS = 64;
const JSON_HEADER = "-H 'Content-Type: application/json'";

/** A line for the shell that asks the model for a prediction, with zeros where the model says how many. */
export function sampleRequest(url: string, model: ModelLabel): string {
  const [input] = model.signature?.inputs ?? [];
  const rows = zeros(Array.isArray(input?.shape) ? input.shape : undefined, input?.datatype === "BYTES" ? '""' : "0");
  if (model.contract === "uai") return `curl -s ${url}/service --data-binary @input`;
  if (model.contract === "kserve") return `curl -s ${url}/v1/models/${model.name ?? "model"}:predict ${JSON_HEADER} -d '{"instances":${rows}}'`;
  return `curl -s ${url}/predict ${JSON_HEADER} -d '{"data":{"ndarray":${rows}}}'`;
}

/** Nested lists of a shape; a dimension that may be anything is 1. */
function zeros(shape: readonly unknown[] | undefined, zero: string): string {
  const sizes = (shape ?? [1, 3]).map((size) => (typeof size === "number" && size > 0 ? size : 1));
  if (sizes.reduce((product, size) => product * size, 1) > MAX_NUMBERS) return "[[…]]";
  return sizes.reduceRight((inner, size) => `[${Array.from({ length: size }, () => inner).join(",")}]`, zero);
}
