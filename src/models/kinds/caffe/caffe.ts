import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { openReader } from "../../../ground/bytes/index.ts";
import { WireError, WireFile, type WireField } from "../../../ground/wire/index.ts";
import type { Candidate, KindRow, ModelFacts, ModelFile, StatedTensor } from "../contracts.ts";
import { signatureOf } from "../files/datatype-names.ts";
import {
  filesBeside,
  folderOf,
  headOf,
  invalidModel,
  modelFileAt,
  refuseImpostor,
  stemOf,
} from "../files/model-file.ts";
import {
  parsePrototxt,
  PrototxtError,
  type PrototxtMessage,
  type PrototxtValue,
} from "./prototxt.ts";

const MAX_PROTOTXT_BYTES = 16 * 2 ** 20;
/** Layers that only training has. */
const TRAINING = /^(Data|ImageData|HDF5Data|LMDB|.*Loss|Accuracy)$/i;
/** OpenCV 5 has no reader of Caffe's files. */
const REQUIREMENTS = ["opencv-python-headless==4.12.0.88"];

/** Caffe: a network as `.prototxt` and its weights as `.caffemodel`. */
export const caffe: KindRow = {
  name: "caffe",
  requirements: REQUIREMENTS,
  recognise: (files) => Promise.resolve(recogniseCaffe(files)),
  describe: (candidate, files) => Promise.resolve(describeCaffe(candidate, files)),
};

function recogniseCaffe(files: readonly ModelFile[]): readonly Candidate[] {
  const weights = files.filter(({ path }) => /\.caffemodel$/i.test(path));
  const networks = files.filter(isNetwork);
  const pairs = weights.map(({ path }): Candidate => {
    const network = networkOf(path, networks);
    return {
      kind: "caffe",
      modelPath: path,
      isCertain: false,
      label: `Caffe model "${path}"`,
      parts: [path, ...(network === undefined ? [] : [network.path])],
    };
  });
  const folders = new Set(weights.map(({ path }) => folderOf(path)));
  const alone = networks.filter(({ path }) => !folders.has(folderOf(path)));
  return [
    ...pairs,
    ...alone.map(({ path }): Candidate => ({
      kind: "caffe",
      modelPath: path,
      isCertain: false,
      label: `network of a Caffe model "${path}"`,
    })),
  ];
}

/** Solvers and training networks are prototxt too. */
function isNetwork(file: ModelFile): boolean {
  if (!/\.prototxt$/i.test(file.path)) return false;
  return !/(?:solver|train_test|train_val|label_?map)[^/]*$/i.test(file.path);
}

/** The network of the same name, else one called deploy, else the only one in the folder. */
function networkOf(weights: string, networks: readonly ModelFile[]): ModelFile | undefined {
  const beside = filesBeside(networks, folderOf(weights));
  return (
    beside.find(({ path }) => stemOf(path) === stemOf(weights)) ??
    beside.find(({ path }) => /deploy/i.test(posix.basename(path))) ??
    (beside.length === 1 ? beside[0] : undefined)
  );
}

function describeCaffe({ modelPath = "" }: Candidate, files: readonly ModelFile[]): ModelFacts {
  const file = modelFileAt(files, modelPath);
  refuseImpostor(file, "a Caffe model");
  if (/\.prototxt$/i.test(modelPath)) {
    const network = readNetwork(file);
    return {
      ...factsOfNetwork(network),
      files: [modelPath],
      obstacle: {
        code: "MODEL_FILE_INVALID",
        why: "it is the network of a Caffe model, and its weights are missing: no .caffemodel stands beside it",
        hint: "put the .caffemodel beside it",
      },
    };
  }
  const weights = readWeights(file);
  const network = networkOf(modelPath, files.filter(isNetwork));
  if (network === undefined)
    return {
      files: [modelPath],
      warnings: [],
      details: { ...weights },
      obstacle: {
        code: "MODEL_FILE_INVALID",
        why: "it holds the weights of a Caffe model, and its network is missing: no .prototxt stands beside it",
        hint: "put the deploy .prototxt beside it, called like it",
      },
    };
  const facts = factsOfNetwork(readNetwork(network));
  return {
    ...facts,
    files: [modelPath, network.path],
    requirements: REQUIREMENTS,
    details: { ...facts.details, ...weights },
  };
}

function readNetwork(file: ModelFile): PrototxtMessage {
  refuseImpostor(file, "a Caffe network");
  if (file.size > MAX_PROTOTXT_BYTES)
    throw invalidModel(file.path, `it is longer than ${MAX_PROTOTXT_BYTES} bytes`);
  if (headOf(file).content === "binary")
    throw invalidModel(file.path, "it is not a Caffe network: it is no text");
  try {
    return parsePrototxt(readFileSync(file.location, "utf8"));
  } catch (cause) {
    if (!(cause instanceof PrototxtError)) throw cause;
    throw invalidModel(file.path, `it is not a Caffe network: ${cause.message}`, { cause });
  }
}

/** Sums what the weights hold. @see caffe.proto, NetParameter, LayerParameter, BlobProto */
function readWeights(file: ModelFile): {
  readonly layersWithWeights: number;
  readonly parameters: number;
} {
  using reader = openReader(file.location, file.path);
  const wire = new WireFile(reader, { maxFields: 5_000_000 });
  let parameters = 0;
  let layersWithWeights = 0;
  try {
    for (const field of wire.fields()) {
      const blobs = blobsIn(wire, field);
      if (blobs.length > 0) layersWithWeights += 1;
      for (const blob of blobs) parameters += numbersInBlob(wire, blob);
    }
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw invalidModel(file.path, `it is not a whole Caffe model: ${cause.why}`, { cause });
  }
  if (layersWithWeights === 0)
    throw invalidModel(file.path, "it is not a Caffe model: it has no layers with weights");
  return { layersWithWeights, parameters };
}

/** Weights of a layer: field 7 of a `layer` of today, 6 of the `layers` of 2013. */
function blobsIn(wire: WireFile, field: WireField): readonly WireField[] {
  const wanted = { 100: 7, 2: 6 }[field.number];
  if (wanted === undefined || field.wireType !== 2) return [];
  return [...wire.inside(field)].filter(({ number }) => number === wanted);
}

/** Floats are field 5, doubles field 8; packed, or one at a time. */
function numbersInBlob(wire: WireFile, blob: WireField): number {
  let count = 0;
  for (const { number, wireType, start, end } of wire.inside(blob)) {
    const width = { 5: 4, 8: 8 }[number];
    if (width !== undefined) count += wireType === 2 ? (end - start) / width : 1;
  }
  return count;
}

function factsOfNetwork(network: PrototxtMessage): Omit<ModelFacts, "files"> {
  const layers = [...messagesIn(network, "layer"), ...messagesIn(network, "layers")];
  const inputs = inputsOf(network, layers);
  const types = layers.map((layer) => oneText(layer, "type"));
  const [first] = inputs;
  const outputs = outputsOf(layers, inputs);
  return {
    ...signatureOf(inputs.map(servedInput(types)), outputs),
    inputs,
    outputs,
    warnings: [],
    details: {
      ...(oneText(network, "name") !== "" && { name: oneText(network, "name") }),
      layers: layers.length,
      layerTypes: [...new Set(types)].toSorted(),
      ...(first !== undefined && { input: { name: first.name, shape: first.shape } }),
    },
  };
}

/** Layers that take pictures of one size only. */
const FIXED_SIZE = /^(InnerProduct|INNER_PRODUCT)$/;

/** The runtime takes any number of pictures, whatever the network says, and any size where no layer is for one size. */
function servedInput(types: readonly string[]): (input: StatedTensor) => StatedTensor {
  const isFixed = types.some((type) => FIXED_SIZE.test(type));
  return (input) => {
    const { shape } = input;
    if (shape?.length !== 4) return input;
    const [, channels = -1, height = -1, width = -1] = shape;
    return { ...input, shape: isFixed ? [-1, channels, height, width] : [-1, channels, -1, -1] };
  };
}

/** Either fields of the network itself, or layers of type Input. */
function inputsOf(
  network: PrototxtMessage,
  layers: readonly PrototxtMessage[],
): readonly StatedTensor[] {
  const shapes = messagesIn(network, "input_shape").map((shape) => numbersIn(shape, "dim"));
  const flat = numbersIn(network, "input_dim");
  const own = textsIn(network, "input").map((name, index) => ({
    name,
    datatype: "FP32",
    shape:
      shapes[index] ??
      (flat.length >= 4 * (index + 1) ? flat.slice(4 * index, 4 * index + 4) : null),
  }));
  const inLayers = layers
    .filter((layer) => oneText(layer, "type") === "Input")
    .flatMap((layer) => {
      const [parameter] = messagesIn(layer, "input_param");
      const stated = parameter === undefined ? [] : messagesIn(parameter, "shape");
      return textsIn(layer, "top").map((name, index) => ({
        name,
        datatype: "FP32",
        shape:
          stated.length === 0 ? null : numbersIn(stated[index] ?? stated[0] ?? new Map(), "dim"),
      }));
    });
  return [...own, ...inLayers];
}

/** Blobs that no layer takes. Their shapes are not in the file. */
function outputsOf(
  layers: readonly PrototxtMessage[],
  inputs: readonly StatedTensor[],
): readonly StatedTensor[] {
  const deployed = layers.filter((layer) => !TRAINING.test(oneText(layer, "type")));
  const open = new Set<string>();
  for (const layer of deployed) {
    const tops = textsIn(layer, "top");
    for (const bottom of textsIn(layer, "bottom")) if (!tops.includes(bottom)) open.delete(bottom);
    for (const top of tops) open.add(top);
  }
  for (const { name } of inputs) open.delete(name);
  return [...open].map((name) => ({ name, datatype: "FP32", shape: null }));
}

function messagesIn(message: PrototxtMessage, key: string): readonly PrototxtMessage[] {
  return (message.get(key) ?? []).filter((value): value is PrototxtMessage => !isText(value));
}

function textsIn(message: PrototxtMessage, key: string): readonly string[] {
  return (message.get(key) ?? []).filter(isText);
}

function oneText(message: PrototxtMessage, key: string): string {
  const value = message.get(key)?.[0];
  return value !== undefined && isText(value) ? value : "";
}

function numbersIn(message: PrototxtMessage, key: string): readonly number[] {
  return (message.get(key) ?? []).map(Number).filter((value) => Number.isSafeInteger(value));
}

function isText(value: PrototxtValue): value is string {
  return typeof value === "string";
}
