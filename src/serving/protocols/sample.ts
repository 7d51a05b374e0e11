import { isDatatype, type Datatype } from "../../models/tensor/index.ts";
import type { ApiModel, ExampleRequest, Json, SampleModel } from "./protocol.ts";

/** Values that a line for the shell has in it at the most; more are fetched from the server. */
const MAX_INLINE_VALUES = 64;
/** What an axis of any length is in an image of an example, in pixels: filters of most networks fit into it. */
const IMAGE_SIDE = 64;

const JSON_TYPE = "application/json";
/** The header of a request in JSON, for the shell. */
const JSON_HEADER = "-H 'Content-Type: application/json'";

type Input = NonNullable<NonNullable<SampleModel["signature"]>["inputs"]>[number];

/** The axes of an example for an input: an axis of any length is 1, and 64 where it is the side of a picture. */
export function exampleShape(input: Input | undefined): readonly number[] {
  const shape: unknown = input?.shape;
  const axes: readonly unknown[] = Array.isArray(shape) ? shape : [1, 3];
  const isPicture = axes.length === 4 && (axes[1] === 3 || axes[3] === 3);
  return axes.map((size, axis) =>
    typeof size === "number" && size > 0 ? size : isPicture && axis > 0 ? IMAGE_SIDE : 1,
  );
}

/** Nested lists of zeros, or of empty text, in the shape of an input's example, as JSON. */
export function zerosOf(input: Input | undefined): string {
  const zero = input?.datatype === "BYTES" ? '""' : input?.datatype === "BOOL" ? "false" : "0";
  return exampleShape(input).reduceRight(
    (inner, size) => `[${Array.from({ length: size }, () => inner).join(",")}]`,
    zero,
  );
}

function valuesIn(inputs: readonly Input[]): number {
  return inputs.reduce(
    (sum, input) => sum + exampleShape(input).reduce((product, size) => product * size, 1),
    0,
  );
}

/** A model as its label has it, for `example` of a protocol. One that says nothing is taken to have one input of three numbers. */
export function apiModelOf({ name = "model", signature }: SampleModel): ApiModel {
  const { inputs = [] } = signature ?? {};
  return {
    name,
    inputs: (inputs.length === 0 ? [{ name: "input" }] : inputs).map((input: Input) => ({
      name: input.name ?? "",
      datatype: isDatatype(input.datatype ?? "") ? (input.datatype as Datatype) : "FP64", // checked
      shape: exampleShape(input),
    })),
    outputs: [],
    takesTensors: true,
    takesRawBody: false,
  };
}

/** An example in JSON. */
export function jsonExample(path: string, body: string): ExampleRequest {
  return { path, contentType: JSON_TYPE, body };
}

/**
 * A line for the shell that sends an example. A long one is fetched from the server first, so that the line can be read.
 * @param protocol - the row's name
 */
export function curlOf(
  { path, body }: ExampleRequest,
  {
    url,
    protocol,
    model,
  }: { readonly url: string; readonly protocol: string; readonly model: ApiModel },
): string {
  return valuesIn(model.inputs) <= MAX_INLINE_VALUES
    ? `curl -s ${url}${path} ${JSON_HEADER} -d '${body.replaceAll("'", "'\\''")}'`
    : `curl -s ${url}${examplePath(protocol, model.name)} | curl -s ${url}${path} ${JSON_HEADER} --data-binary @-`;
}

/** Where the server hands out the body of an example. */
export function examplePath(protocol: string, model: string): string {
  return `/openapi/examples/${protocol}/${encodeURIComponent(model)}`;
}

/** The example as a member of an OpenAPI media type: itself where it is short, else where it is to be had. */
export function openApiExample(
  { body }: ExampleRequest,
  { protocol, model }: { readonly protocol: string; readonly model: ApiModel },
): Json {
  const summary = `zeros in the shape that ${model.name} takes`;
  return valuesIn(model.inputs) <= MAX_INLINE_VALUES
    ? { zeros: { summary, value: JSON.parse(body) as Json } }
    : { zeros: { summary, externalValue: examplePath(protocol, model.name) } };
}
