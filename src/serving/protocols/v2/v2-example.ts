import type { TensorSpec } from "../../../models/tensor/index.ts";
import type { ApiModel, ExampleRequest } from "../protocol.ts";
import { exampleShape, jsonExample, zerosOf } from "../sample.ts";
import { isBinaryOnly } from "./write-infer-json.ts";

/** A request of zeros; absent for a model without a signature, or with tensors that JSON cannot carry. */
export function v2Example({
  name,
  inputs,
  outputs,
  takesTensors,
}: ApiModel): ExampleRequest | undefined {
  const isBinary = [...inputs, ...outputs].some(({ datatype }) => isBinaryOnly(datatype));
  if (!takesTensors || inputs.length === 0 || isBinary) return undefined;
  return jsonExample(
    `/v2/models/${encodeURIComponent(name)}/infer`,
    `{"inputs":[${inputs.map(zeroTensor).join(",")}]}`,
  );
}

function zeroTensor(input: TensorSpec): string {
  const { name, datatype } = input;
  const shape = exampleShape(input).join(",");
  return `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape}],"data":${zerosOf(input)}}`;
}
