import { InferenceError } from "../../ground/errors/index.ts";
import {
  castTensor,
  shapeText,
  type Signature,
  type Tensor,
  type TensorSpec,
} from "../../models/tensor/index.ts";
import { isRaw, type InferRequest, type NamedTensor } from "./contracts.ts";

/**
 * The tensors of a request in the order of the signature, each checked against its spec. Every input has to be there once, by its name, and
 * nothing else. Datatypes have to be equal, but for numbers of up to 32 bits where FP64 is wanted, which holds each of them exactly; and where
 * `isUntyped` says so numbers are converted if every one of them fits.
 * @throws InferenceError `TENSOR_INVALID` naming the tensor, what came and what is wanted; `UNSUPPORTED` for a raw body
 */
export function matchInputs(
  request: Pick<InferRequest, "inputs" | "isUntyped">,
  signature: Signature,
  model: string,
): readonly Tensor[] {
  const { inputs, isUntyped = false } = request;
  if (isRaw(inputs))
    throw new InferenceError(
      "UNSUPPORTED",
      `call the model "${model}": it takes tensors, and not a body as it comes`,
      { model },
    );
  checkNames(inputs, signature.inputs, model);
  return signature.inputs.map((spec) => {
    const found = inputs.find(({ name }) => name === spec.name);
    if (found === undefined) throw new Error(`the input "${spec.name}" was there`); // checkNames saw it
    return matched(found, spec, { model, isUntyped });
  });
}

function checkNames(
  inputs: readonly NamedTensor[],
  specs: readonly TensorSpec[],
  model: string,
): void {
  const names = inputs.map(({ name }) => name);
  const missing = specs.filter(({ name }) => !names.includes(name)).map(({ name }) => name);
  const unknown = names.filter(
    (name, at) => !specs.some((spec) => spec.name === name) || names.indexOf(name) !== at,
  );
  const [wrong = missing[0]] = unknown;
  if (wrong === undefined) return;
  const wants = specs.map(
    ({ name, datatype, shape }) => `"${name}" ${datatype} ${shapeText(shape)}`,
  );
  const why =
    missing.length > 0
      ? `${missing.length === 1 ? "the input" : "the inputs"} ${quoted(missing)} ${missing.length === 1 ? "is" : "are"} missing`
      : `${quoted(unknown)} ${unknown.length === 1 ? "is no input" : "are no inputs"} of it, or there twice`;
  throw new InferenceError(
    "TENSOR_INVALID",
    `call the model "${model}": ${why}; got ${quoted(names) || "none"}, and it takes ${wants.join(", ")}`,
    { model, tensor: wrong, expected: wants.join(", "), actual: quoted(names) },
  );
}

function matched(
  tensor: NamedTensor,
  spec: TensorSpec,
  { model, isUntyped }: { readonly model: string; readonly isUntyped: boolean },
): Tensor {
  const isFit =
    spec.isRankUnknown === true ||
    (tensor.shape.length === spec.shape.length &&
      spec.shape.every((axis, index) => axis === -1 || axis === tensor.shape[index]));
  if (!isFit)
    throw refused(model, spec.name, {
      what: "shape",
      expected: shapeText(spec.shape),
      actual: shapeText(tensor.shape),
      hint: "-1 stands for any length",
    });
  const isExact = spec.datatype === "FP64" && IN_DOUBLE.has(tensor.datatype);
  if (!isUntyped && !isExact && tensor.datatype !== spec.datatype)
    throw refused(model, spec.name, {
      what: "datatype",
      expected: spec.datatype,
      actual: tensor.datatype,
      hint: `send it as ${spec.datatype}`,
    });
  return castTensor(tensor, spec.datatype);
}

/** Datatypes whose every value is a double. */
const IN_DOUBLE: ReadonlySet<string> = new Set([
  ...["FP16", "BF16", "FP32", "INT8", "INT16", "INT32", "UINT8", "UINT16", "UINT32"],
]);

interface Difference {
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
  readonly hint: string;
}

function refused(
  model: string,
  tensor: string,
  { what, expected, actual, hint }: Difference,
): InferenceError {
  return new InferenceError(
    "TENSOR_INVALID",
    `call the model "${model}": the input "${tensor}" has ${what} ${actual}, and ${expected} is wanted`,
    { model, tensor, expected, actual, hint },
  );
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
