import { posix } from "node:path";
import type { Candidate, Detail, KindRow, ModelFacts, ModelFile } from "../contracts.ts";
import { listIn, objectIn, readJsonFile, stringIn, type JsonObject } from "../files/json-file.ts";
import { filesBeside, folderOf, headOf, modelFileAt, pathIn } from "../files/model-file.ts";
import { readWeights, weightDetails, weightsIn } from "../weights/safetensors.ts";

const MAX_LABELS = 100_000;
const CONFIG = "config.json";
const WEIGHTS =
  /^(?:model.*\.safetensors(?:\.index\.json)?|pytorch_model.*\.bin(?:\.index\.json)?|tf_model\.h5|flax_model\.msgpack|.*\.gguf|.*\.safetensors)$/;
const PARTS =
  /^(?:config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|preprocessor_config|vocab|processor_config)\.json$|^(?:vocab\.txt|merges\.txt|.*\.model|spiece\.model|sentencepiece\.bpe\.model)$/;

/** A folder of Hugging Face's transformers: described, not served. */
export const huggingface: KindRow = {
  name: "huggingface",
  requirements: [],
  recognise: (files) =>
    Promise.resolve(files.filter(isConfig).map((file) => candidateOf(file, files))),
  describe: ({ modelPath = "" }, files) =>
    Promise.resolve(describeFolder(modelPath === "." ? "" : modelPath, files)),
};

/** Other tools have a `config.json` too. */
function isConfig(file: ModelFile): boolean {
  if (posix.basename(file.path) !== CONFIG || file.size === 0) return false;
  const { content, bytes } = headOf(file);
  return (
    content === "json" &&
    /"(?:model_type|architectures|transformers_version)"\s*:/.test(bytes.toString("utf8"))
  );
}

function candidateOf({ path }: ModelFile, files: readonly ModelFile[]): Candidate {
  const folder = folderOf(path);
  const beside = filesBeside(files, folder).map((file) => file.path);
  const name = folder === "" ? "." : folder;
  return {
    kind: "huggingface",
    modelPath: name,
    isCertain: false,
    label: `Hugging Face model "${name}"`,
    parts: beside.filter(
      (one) => WEIGHTS.test(posix.basename(one)) || PARTS.test(posix.basename(one)),
    ),
  };
}

function describeFolder(folder: string, files: readonly ModelFile[]): ModelFacts {
  const config = readJsonFile(
    modelFileAt(files, pathIn(folder, CONFIG)),
    "the configuration of a model",
  );
  const beside = filesBeside(files, folder).map(({ path }) => path);
  const names = beside.map((path) => posix.basename(path));
  const safetensors = weightsIn(files, folder);
  const weights = safetensors === undefined ? undefined : readWeights(files, safetensors);
  const other = names.find((name) => WEIGHTS.test(name));
  const labels = labelsIn(config);
  const modelType = stringIn(config, "model_type");
  return {
    files: beside.filter(
      (path) => WEIGHTS.test(posix.basename(path)) || PARTS.test(posix.basename(path)),
    ),
    warnings: [],
    ...(labels.length > 0 && { labels }),
    details: {
      ...(modelType !== undefined && { modelType }),
      architectures: listIn(config, "architectures").map(String),
      ...copied(config),
      tokenizer: tokenizerIn(names),
      ...(weights === undefined ? { weights: other ?? null } : weightDetails(weights)),
    },
    obstacle:
      other === undefined
        ? {
            code: "MODEL_FILE_INVALID",
            why: "it is a configuration without weights: there is no model.safetensors beside it",
            hint: "copy the weights beside config.json",
          }
        : {
            code: "UNSUPPORTED",
            why: `it is a Hugging Face folder (${modelType ?? "unknown model type"}), a kind that is described and not served`,
            hint: "write a class that loads it with transformers, or export it to ONNX",
          },
  };
}

function copied(config: JsonObject): Readonly<Record<string, Detail>> {
  const names: Readonly<Record<string, string>> = {
    torch_dtype: "datatype",
    dtype: "datatype",
    transformers_version: "transformersVersion",
    hidden_size: "hiddenSize",
    num_hidden_layers: "layers",
    vocab_size: "vocabularySize",
    max_position_embeddings: "contextLength",
  };
  return Object.fromEntries(
    Object.entries(names).flatMap(([key, name]) => {
      const value = config[key];
      return typeof value === "string" || typeof value === "number" ? [[name, value]] : [];
    }),
  );
}

function tokenizerIn(names: readonly string[]): Detail {
  return names.filter((name) =>
    /^(?:tokenizer\.json|tokenizer_config\.json|vocab\.txt|vocab\.json|merges\.txt|spiece\.model|tokenizer\.model)$/.test(
      name,
    ),
  );
}

/** `id2label` by number. */
function labelsIn(config: JsonObject): readonly string[] {
  const pairs = Object.entries(objectIn(config, "id2label")).slice(0, MAX_LABELS);
  return pairs
    .map(([id, label]) => [Number(id), String(label)] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, label]) => label);
}
