import { posix } from "node:path";
import { type RandomReader } from "../../../ground/bytes/index.ts";
import type { Candidate, KindRow, ModelFacts, ModelFile, Obstacle } from "../contracts.ts";
import { signatureOf } from "../files/datatype-names.ts";
import { parseJsonObject, readJsonFile, stringIn, type JsonObject } from "../files/json-file.ts";
import {
  filesBeside,
  folderOf,
  headOf,
  invalidModel,
  modelFileAt,
  openModelFile,
  refuseImpostor,
  stemOf,
} from "../files/model-file.ts";
import { openZip } from "../files/zip-file.ts";
import {
  hasWeights,
  isKerasModel,
  inputTensors,
  readArchitecture,
  type KerasArchitecture,
} from "./architecture.ts";
import { readKerasHdf5, type KerasHdf5 } from "./weights.ts";

const HDF5_NAME = /\.(?:h5|hdf5|hdf|keras)$/i;
/** TensorFlow.js has the same architecture inside of a document of its own. */
const OF_BROWSERS = /"(?:weightsManifest|modelTopology)"\s*:/;
const ARCHITECTURE = /"class_name"\s*:\s*"(?:Sequential|Model|Functional)"/;
const WANT = "a Keras model";
const MAX_CONFIG_BYTES = 16 * 2 ** 20;
const MAX_UNPACKED_WEIGHTS = 64 * 2 ** 20;
/** The newest Keras that reads files of release 3, and the last one that reads those of 1 and 2. */
const KERAS_3 = ["tensorflow-cpu==2.20.0"];
/** tf-keras wants `tensorflow`; beside `tensorflow-cpu` the two would write the same files. */
const KERAS_2 = ["tensorflow==2.20.0", "tf-keras==2.20.1"];

/** Keras: a whole model in HDF5 or a `.keras` archive, or weights in HDF5 with the architecture as JSON beside them. */
export const keras: KindRow = {
  name: "keras",
  requirements: KERAS_2,
  recognise: (files) => Promise.resolve(recogniseKeras(files)),
  async describe(candidate, files) {
    const { modelPath = "" } = candidate;
    const file = modelFileAt(files, modelPath);
    if (headOf(file).content === "json") return describeArchitectureAlone(file);
    refuseImpostor(file, WANT);
    return headOf(file).content === "zip" ? describeArchive(file) : describeHdf5(candidate, files);
  },
};

function recogniseKeras(files: readonly ModelFile[]): readonly Candidate[] {
  const architectures = files.filter(isArchitecture);
  const models = files.filter(
    ({ path, size }) => HDF5_NAME.test(path) && (size > 0 || HDF5_NAME.test(path)),
  );
  const found = models.map((file): Candidate => {
    const beside = architectureOf(file, architectures);
    return {
      kind: "keras",
      modelPath: file.path,
      isCertain: false,
      label: `Keras model "${file.path}"`,
      parts: [file.path, ...(beside === undefined ? [] : [beside.path])],
    };
  });
  const taken = new Set(found.flatMap(({ parts = [] }) => parts));
  const folders = new Set(models.map(({ path }) => folderOf(path)));
  const alone = architectures
    .filter(({ path }) => !taken.has(path) && !folders.has(folderOf(path)))
    .map(({ path }): Candidate => ({
      kind: "keras",
      modelPath: path,
      isCertain: false,
      label: `architecture of a Keras model "${path}"`,
    }));
  return [...found, ...alone];
}

function isArchitecture(file: ModelFile): boolean {
  if (!file.path.endsWith(".json") || file.size === 0) return false;
  const { content, bytes } = headOf(file);
  const text = bytes.toString("utf8");
  return content === "json" && ARCHITECTURE.test(text) && !OF_BROWSERS.test(text);
}

/** The architecture of weights: the one of the same name, else the only one in the folder. */
function architectureOf(
  weights: ModelFile,
  architectures: readonly ModelFile[],
): ModelFile | undefined {
  const beside = filesBeside(architectures, folderOf(weights.path));
  const stem = stemOf(weights.path).replace(/\.weights$/, "");
  return (
    beside.find(({ path }) => stemOf(path) === stem) ??
    (beside.length === 1 ? beside[0] : undefined)
  );
}

function describeHdf5({ modelPath = "" }: Candidate, files: readonly ModelFile[]): ModelFacts {
  const file = modelFileAt(files, modelPath);
  using reader = openModelFile(file, WANT);
  const weights = readKerasHdf5(reader, modelPath);
  if (weights.modelConfig !== undefined) {
    const config = parseJsonObject(
      Buffer.from(weights.modelConfig),
      modelPath,
      "a whole Keras model: its configuration is damaged",
    );
    return kerasFacts({ files: [modelPath], weights, model: config, isInside: true });
  }
  const beside = architectureOf(file, files.filter(isArchitecture));
  if (beside === undefined) return weightsAlone(modelPath, weights);
  const model = readJsonFile(beside, "the architecture of a Keras model");
  checkLayers(modelPath, weights, { path: beside.path, architecture: readArchitecture(model) });
  return kerasFacts({
    files: [modelPath, beside.path],
    weights,
    model,
    isInside: false,
    architectureFile: beside.path,
  });
}

interface KerasParts {
  readonly files: readonly string[];
  readonly weights: KerasHdf5;
  readonly model: JsonObject;
  /** True when the architecture is in the file itself. */
  readonly isInside: boolean;
  readonly architectureFile?: string;
}

function kerasFacts({ files, weights, model, isInside, architectureFile }: KerasParts): ModelFacts {
  const [path = ""] = files;
  if (!isKerasModel(model)) throw invalidModel(path, "its configuration is no Keras model");
  const architecture = readArchitecture(model);
  const version = weights.kerasVersion ?? stringIn(model, "keras_version");
  const backend = weights.backend ?? stringIn(model, "backend");
  const obstacle = obstacleOf(architecture);
  const inputs = inputTensors(architecture);
  return {
    ...signatureOf(inputs, architecture.outputs),
    inputs,
    outputs: architecture.outputs,
    files,
    warnings: [],
    requirements: (version ?? "").startsWith("3.") ? KERAS_3 : KERAS_2,
    details: {
      ...(version !== undefined && { kerasVersion: version }),
      ...(backend !== undefined && { backend }),
      architectureInside: isInside,
      ...(architectureFile !== undefined && { architectureFile }),
      optimizerState: weights.hasOptimizer,
      class: architecture.className,
      layers: architecture.layers.map(({ className }) => className),
      layerNames: architecture.layers.map(({ name }) => name),
      inputLayers: architecture.inputs.map(({ name, shape }) => ({ layer: name, shape })),
      outputLayers: architecture.outputs.map(({ name }) => name),
      parameters: weights.parameters,
      ...(architecture.custom.length > 0 && {
        custom: [...new Set(architecture.custom.map(({ name }) => name))],
      }),
    },
    ...(obstacle !== undefined && { obstacle }),
  };
}

function obstacleOf({ custom }: KerasArchitecture): Obstacle | undefined {
  const [first] = custom.filter(({ name }) => name === "<lambda>");
  if (first === undefined) return undefined;
  return {
    code: "UNSUPPORTED",
    why: `layer "${first.layer}" has a function written as "<lambda>", which only the script that trained it knows`,
    hint: "write a class that builds the model, or train again with a named function",
  };
}

function weightsAlone(path: string, weights: KerasHdf5): ModelFacts {
  const { kerasVersion, backend, layers, parameters } = weights;
  return {
    files: [path],
    warnings: [],
    details: {
      ...(kerasVersion !== undefined && { kerasVersion }),
      ...(backend !== undefined && { backend }),
      architectureInside: false,
      optimizerState: weights.hasOptimizer,
      layerNames: layers.map(({ name }) => name),
      layerCount: layers.length,
      parameters,
    },
    obstacle: {
      code: "MODEL_FILE_INVALID",
      why: `it holds the weights of ${layers.length} layers${kerasVersion === undefined ? "" : `, written by Keras ${kerasVersion}`}, and no architecture: no .json stands beside it`,
      hint: "put the architecture beside it as JSON (model.to_json()), save the whole model, or write a class that builds it",
    },
  };
}

function describeArchitectureAlone(file: ModelFile): ModelFacts {
  const model = readJsonFile(file, "the architecture of a Keras model");
  const architecture = readArchitecture(model);
  const version = stringIn(model, "keras_version");
  return {
    inputs: architecture.inputs,
    outputs: architecture.outputs,
    files: [file.path],
    warnings: [],
    details: {
      ...(version !== undefined && { kerasVersion: version }),
      class: architecture.className,
      layers: architecture.layers.map(({ className }) => className),
    },
    obstacle: {
      code: "MODEL_FILE_INVALID",
      why: "it is the architecture of a Keras model, and its weights are missing: no .h5 file stands beside it",
      hint: "put the weights beside it (model.save_weights(...)), or save the whole model",
    },
  };
}

/** Weights are loaded in the order of the layers, so their count must fit; equal names are proof enough. */
function checkLayers(
  path: string,
  { layers }: KerasHdf5,
  {
    path: beside,
    architecture,
  }: { readonly path: string; readonly architecture: KerasArchitecture },
): void {
  const stored = layers.filter(({ weights }) => weights > 0).map(({ name }) => name);
  const names = new Set(architecture.layers.map(({ name }) => name));
  const wanted = architecture.layers.filter(hasWeights).map(({ name }) => name);
  if (stored.every((name) => names.has(name)) || stored.length === wanted.length) return;
  throw invalidModel(
    path,
    `its weights are not those of "${posix.basename(beside)}": they are of ${stored.length} layers (${stored.slice(0, 5).join(", ")}), and the architecture has ${wanted.length} layers with weights (${wanted.slice(0, 5).join(", ")})`,
    { hint: "put weights and architecture of the same model side by side" },
  );
}

/** A `.keras` archive: `config.json`, `metadata.json` and `model.weights.h5`. */
async function describeArchive(file: ModelFile): Promise<ModelFacts> {
  await using zip = await openZip(file);
  const names = new Set(zip.entries.map(({ name }) => name));
  const missing = ["config.json", "model.weights.h5"].filter((name) => !names.has(name));
  if (missing.length > 0)
    throw invalidModel(
      file.path,
      `it is a zip archive without ${missing.join(" and ")}, not ${WANT}`,
    );
  const json = async (name: string): Promise<JsonObject> =>
    parseJsonObject(await zip.read(name, MAX_CONFIG_BYTES), `${file.path}/${name}`, WANT);
  const model = await json("config.json");
  const metadata = names.has("metadata.json") ? await json("metadata.json") : {};
  using stored = await zip.openStored("model.weights.h5", MAX_UNPACKED_WEIGHTS);
  const weights = weightsIn(stored, file.path);
  const version = stringIn(metadata, "keras_version");
  return kerasFacts({
    files: [file.path],
    weights: { ...weights, ...(version !== undefined && { kerasVersion: version }) },
    model,
    isInside: true,
  });
}

function weightsIn(reader: RandomReader | undefined, path: string): KerasHdf5 {
  if (reader === undefined)
    return { hasOptimizer: false, layers: [], parameters: 0, weightCount: 0 };
  return readKerasHdf5(reader, `${path}/model.weights.h5`);
}
