import { openReader } from "../../../ground/bytes/index.ts";
import type { KindRow, ModelFacts, ModelFile, StatedTensor } from "../contracts.ts";
import { FlatBufferError, FlatTable } from "../files/flatbuffer.ts";
import { headOf, invalidModel, modelFileAt, refuseImpostor } from "../files/model-file.ts";

/** TensorType by number. @see tensorflow/lite/schema/schema.fbs */
const DATATYPES = [
  "FP32",
  "FP16",
  "INT32",
  "UINT8",
  "INT64",
  "BYTES",
  "BOOL",
  "INT16",
  "complex64",
  "INT8",
  "FP64",
  "complex128",
  "UINT64",
  "resource",
  "variant",
  "UINT32",
  "UINT16",
  "int4",
  "BF16",
];

/** TensorFlow Lite: described, not served. */
export const tflite: KindRow = {
  name: "tflite",
  requirements: [],
  recognise: (files) =>
    Promise.resolve(
      files.filter(isTflite).map(({ path }) => ({
        kind: "tflite",
        modelPath: path,
        isCertain: false,
        label: `TensorFlow Lite model "${path}"`,
      })),
    ),
  describe: ({ modelPath = "" }, files) =>
    Promise.resolve(describeTflite(modelFileAt(files, modelPath))),
};

function isTflite(file: ModelFile): boolean {
  if (/\.tflite$/i.test(file.path)) return true;
  return /\.lite$/i.test(file.path) && file.size > 0 && headOf(file).content === "tflite";
}

function describeTflite(file: ModelFile): ModelFacts {
  refuseImpostor(file, "a TensorFlow Lite model");
  if (headOf(file).content !== "tflite")
    throw invalidModel(file.path, "it is not a TensorFlow Lite model");
  using reader = openReader(file.location, file.path);
  try {
    const model = FlatTable.open(reader);
    const [graph] = model.tables(2);
    if (graph === undefined) throw new FlatBufferError("it has no graph");
    const tensors = graph.tables(0);
    const named = (field: number): readonly StatedTensor[] =>
      (graph.ints(field) ?? []).map((index) => statedTensor(tensors[index]));
    return {
      inputs: named(1),
      outputs: named(2),
      files: [file.path],
      warnings: [],
      details: {
        version: model.int(0, 0),
        operators: graph.count(3),
        tensors: tensors.length,
        subgraphs: model.count(2),
        ...(model.text(3) !== undefined && { description: model.text(3) ?? "" }),
      },
      obstacle: {
        code: "UNSUPPORTED",
        why: "it is a TFLite model, a kind that is described and not served",
        hint: "serve the model that it was converted from, or write a class that runs it",
      },
    };
  } catch (cause) {
    if (!(cause instanceof FlatBufferError)) throw cause;
    throw invalidModel(file.path, `it is not a TensorFlow Lite model: ${cause.message}`, { cause });
  }
}

function statedTensor(tensor: FlatTable | undefined): StatedTensor {
  if (tensor === undefined) throw new FlatBufferError("an input or output is no tensor of it");
  const type = tensor.byte(1, 0);
  return {
    name: tensor.text(3) ?? "",
    datatype: DATATYPES[type] ?? `type ${type}`,
    shape: tensor.ints(7) ?? tensor.ints(0) ?? null,
  };
}
