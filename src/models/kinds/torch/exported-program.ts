import type { StatedTensor } from "../contracts.ts";
import { isJsonObject, listIn, objectIn, stringIn, type JsonObject } from "../files/json-file.ts";

/** What the JSON of a `torch.export` archive says. */
export interface ExportedProgram {
  readonly inputs: readonly StatedTensor[];
  readonly outputs: readonly StatedTensor[];
  readonly torchVersion?: string;
}

/** ScalarType of the schema, by number. @see torch/_export/serde/schema.py, ScalarType */
const DATATYPES: Readonly<Record<number, string>> = {
  1: "UINT8",
  2: "INT8",
  3: "INT16",
  4: "INT32",
  5: "INT64",
  6: "FP16",
  7: "FP32",
  8: "FP64",
  10: "complex64",
  11: "complex128",
  12: "BOOL",
  13: "BF16",
  28: "UINT16",
};

/** Reads what the user gives and gets: weights and buffers are inputs of the graph too, and are left out. */
export function readExportedProgram(program: JsonObject): ExportedProgram {
  const module = objectIn(program, "graph_module");
  const signature = objectIn(module, "signature");
  const values = objectIn(objectIn(module, "graph"), "tensor_values");
  const version = stringIn(program, "torch_version");
  return {
    inputs: tensorsOf(listIn(signature, "input_specs"), "user_input", values),
    outputs: tensorsOf(listIn(signature, "output_specs"), "user_output", values),
    ...(version !== undefined && { torchVersion: version }),
  };
}

function tensorsOf(
  specs: readonly unknown[],
  key: string,
  values: JsonObject,
): readonly StatedTensor[] {
  return specs.flatMap((spec) => {
    if (!isJsonObject(spec) || !isJsonObject(spec[key])) return [];
    const argument = objectIn(objectIn(spec, key), "arg");
    const name = stringIn(objectIn(argument, "as_tensor"), "name");
    return name === undefined ? [] : [programTensor(name, objectIn(values, name))];
  });
}

function programTensor(name: string, value: JsonObject): StatedTensor {
  const { dtype } = value;
  const datatype = typeof dtype === "number" ? (DATATYPES[dtype] ?? `type ${dtype}`) : undefined;
  const sizes = value["sizes"];
  return {
    name,
    ...(datatype !== undefined && { datatype }),
    shape: Array.isArray(sizes) ? sizes.map(axisOf) : null,
  };
}

function axisOf(size: unknown): number {
  const length = isJsonObject(size) ? size["as_int"] : undefined;
  return typeof length === "number" ? length : -1;
}
