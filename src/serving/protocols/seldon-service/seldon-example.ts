import type { ApiModel, ExampleRequest } from "../protocol.ts";
import { jsonExample, zerosOf } from "../sample.ts";

/** A request of zeros to the first model; absent without a signature. Several inputs are named in `jsonData`. */
export function seldonExample({ inputs, takesTensors }: ApiModel): ExampleRequest | undefined {
  const [first] = inputs;
  if (!takesTensors || first === undefined) return undefined;
  const named = inputs.map((input) => `${JSON.stringify(input.name)}:${zerosOf(input)}`);
  return jsonExample(
    "/predict",
    inputs.length > 1
      ? `{"jsonData":{${named.join(",")}}}`
      : `{"data":{"ndarray":${zerosOf(first)}}}`,
  );
}
