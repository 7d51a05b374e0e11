import { shapeText } from "../calls/index.ts";
import type { Datatype, TensorSpec } from "../../models/tensor/index.ts";
import {
  identifierOf,
  literalText,
  oneLine,
  typeNameOf,
  uniqueNames,
  type ClientFacts,
  type ClientModel,
} from "./client-names.ts";
import { PYTHON_CLASS_HEAD, PYTHON_RUNTIME } from "./python-runtime.ts";

/** @see https://docs.python.org/3/reference/lexical_analysis.html#keywords */
const KEYWORDS = new Set(
  "False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield self".split(
    " ",
  ),
);

/**
 * A client as one file of Python 3.9 and newer that needs nothing but its standard library: the class `ModelClient` with a method for
 * each model. The same facts give the same text.
 */
export function writePython({ madeBy, models, notes }: ClientFacts): string {
  const names = models.map(({ name }) => name);
  const methods = uniqueNames(names, pythonName);
  const types = uniqueNames(names, typeNameOf);
  const heading = [`Made by \`${madeBy}\`: make it again rather than edit it.`, ...notes];
  return [
    ...heading.map((line) => `# ${oneLine(line)}\n`),
    PYTHON_RUNTIME,
    ...models.map((model, at) => dataType(model, types[at] ?? "")),
    '\n\nclass ModelClient:\n    """Asks the server\'s models over Open Inference V2."""\n',
    PYTHON_CLASS_HEAD,
    ...models.map((model, at) => method(model, methods[at] ?? "", types[at] ?? "")),
  ].join("");
}

/** A keyword is no name. */
function pythonName(name: string): string {
  const identifier = identifierOf(name);
  return KEYWORDS.has(identifier) ? `${identifier}_` : identifier;
}

function dataType({ name, outputs }: ClientModel, type: string): string {
  const fields = outputs.map(
    (spec) =>
      `        ${literalText(spec.name)}: ${nestedType(spec, "list")},  # ${spec.datatype}, ${shapeText(spec)}\n`,
  );
  return [
    `\n\n# What the model ${literalText(name)} gives.\n`,
    `${type}Outputs = TypedDict(\n    "${type}Outputs",\n    {\n${fields.join("")}    },\n)\n`,
  ].join("");
}

function method({ name, inputs, outputs }: ClientModel, method: string, type: string): string {
  const parameters = uniqueNames(
    inputs.map((spec) => spec.name),
    pythonName,
  );
  const declared = inputs.map(
    (spec, at) =>
      `        ${parameters[at]}: ${nestedType(spec, "Sequence")},  # ${spec.datatype}, ${shapeText(spec)}\n`,
  );
  const written = inputs.map(
    (spec, at) => `                _tensor(${specLiteral(spec)}, ${parameters[at]}),\n`,
  );
  return [
    `\n    def ${method}(\n        self,\n        *,\n${declared.join("")}    ) -> ${type}Outputs:\n`,
    `        """Asks the model ${literalText(name)}. Raises ModelError with the server's words."""\n`,
    `        outputs = self._infer(\n            ${literalText(name)},\n`,
    `            [\n${written.join("")}            ],\n`,
    `            [\n${outputs.map((spec) => `                ${specLiteral(spec)},\n`).join("")}            ],\n        )\n`,
    `        return _cast("${type}Outputs", outputs)\n`,
  ].join("");
}

function specLiteral({ name, datatype, shape }: TensorSpec): string {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  return `(${literalText(name)}, "${datatype}", (${sizes}))`;
}

function nestedType({ datatype, shape }: TensorSpec, list: "list" | "Sequence"): string {
  return shape.reduce((inner) => `${list}[${inner}]`, scalarType(datatype));
}

function scalarType(datatype: Datatype): string {
  if (datatype === "BOOL") return "bool";
  if (datatype === "BYTES") return "str";
  return datatype === "FP32" || datatype === "FP64" ? "float" : "int";
}
