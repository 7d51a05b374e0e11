import { shapeText } from "../calls/index.ts";
import type { Datatype, TensorSpec } from "../../models/tensor/index.ts";
import {
  camelCaseOf,
  literalText,
  oneLine,
  typeNameOf,
  uniqueNames,
  type ClientFacts,
  type ClientModel,
} from "./client-names.ts";
import { TYPESCRIPT_CLASS_HEAD, TYPESCRIPT_RUNTIME } from "./typescript-runtime.ts";

/** What a class or an object has already, or that would make it awaitable. */
const TAKEN = ["constructor", "then", "toString", "toLocaleString", "valueOf", "hasOwnProperty"];

/**
 * A client as one file of TypeScript without dependencies, for Node and browsers: the class `ModelClient` with a method for each model.
 * The same facts give the same text.
 */
export function writeTypescript({ madeBy, models, notes }: ClientFacts): string {
  const names = models.map(({ name }) => name);
  const methods = uniqueNames(names, camelCaseOf, TAKEN);
  const types = uniqueNames(names, typeNameOf);
  const heading = [`Made by \`${madeBy}\`: make it again rather than edit it.`, ...notes];
  return [
    ...heading.map((line) => `// ${oneLine(line)}\n`),
    TYPESCRIPT_RUNTIME,
    ...models.map((model, at) => dataTypes(model, types[at] ?? "")),
    "\n/** Asks the server's models over Open Inference V2. */\nexport class ModelClient {",
    TYPESCRIPT_CLASS_HEAD,
    ...models.map((model, at) => method(model, methods[at] ?? "", types[at] ?? "")),
    "}\n",
  ].join("");
}

function dataTypes({ name, inputs, outputs }: ClientModel, type: string): string {
  const fields = (specs: readonly TensorSpec[], isReadonly: boolean): string =>
    specs
      .map(
        (spec) =>
          `  /** ${spec.datatype}, ${shapeText(spec)} */\n  readonly ${isPlain(spec.name) ? spec.name : literalText(spec.name)}: ${nestedType(spec, isReadonly)};\n`,
      )
      .join("");
  return [
    `\n/** What the model ${literalText(name)} takes. */\nexport type ${type}Inputs = {\n`,
    `${fields(inputs, true)}};\n`,
    `\n/** What the model ${literalText(name)} gives. */\nexport type ${type}Outputs = {\n`,
    `${fields(outputs, false)}};\n`,
  ].join("");
}

function method({ name, inputs, outputs }: ClientModel, method: string, type: string): string {
  const written = inputs.map(
    (spec) =>
      `        writeTensor(${specLiteral(spec)}, inputs${isPlain(spec.name) ? `.${spec.name}` : `[${literalText(spec.name)}]`}),\n`,
  );
  return [
    `\n  /** Asks the model ${literalText(name)}. @throws ModelError with the server's words */\n`,
    `  async ${method}(inputs: ${type}Inputs): Promise<${type}Outputs> {\n`,
    `    const outputs = await this.#infer(\n      ${literalText(name)},\n`,
    `      [\n${written.join("")}      ],\n`,
    `      [\n${outputs.map((spec) => `        ${specLiteral(spec)},\n`).join("")}      ],\n    );\n`,
    `    return outputs as ${type}Outputs; // datatypes and axes were checked\n  }\n`,
  ].join("");
}

/** True for a name that needs no quotation marks. */
function isPlain(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name);
}

function specLiteral({ name, datatype, shape }: TensorSpec): string {
  return `[${literalText(name)}, "${datatype}", [${shape.join(", ")}]]`;
}

function nestedType({ datatype, shape }: TensorSpec, isReadonly: boolean): string {
  const list = (inner: string): string =>
    isReadonly ? `readonly ${inner.includes(" ") ? `(${inner})` : inner}[]` : `${inner}[]`;
  return shape.reduce(list, scalarType(datatype));
}

function scalarType(datatype: Datatype): string {
  if (datatype === "BOOL") return "boolean";
  if (datatype === "BYTES") return "string";
  return datatype === "INT64" || datatype === "UINT64" ? "bigint" : "number";
}
