import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ModelKind } from "../../../src/models/description/index.ts";
import { modelFilesIn } from "./model-folder.ts";

type Contents = Readonly<Record<string, string | Uint8Array>>;

/** A model of a kind, and the same with a part missing or damaged. */
export interface KindSample {
  readonly files: Contents;
  readonly broken: Contents;
  /** What a refusal of the broken one says. */
  readonly says: RegExp;
}

const FIXTURES = resolve(import.meta.dirname, "../../fixtures");

function folder(path: string): Contents {
  const root = join(FIXTURES, path);
  return Object.fromEntries(
    modelFilesIn(root).map(({ path: name, location }) => [name, readFileSync(location)]),
  );
}

function file(path: string, name: string): Contents {
  return { [name]: readFileSync(join(FIXTURES, path)) };
}

function without(contents: Contents, pattern: RegExp): Contents {
  return Object.fromEntries(Object.entries(contents).filter(([name]) => !pattern.test(name)));
}

/** Every file, cut to a share of its length. */
function cut(contents: Contents, share: number): Contents {
  return Object.fromEntries(
    Object.entries(contents).map(([name, content]) => [
      name,
      content.slice(0, Math.floor(content.length * share)),
    ]),
  );
}

function safetensors(): Uint8Array {
  const header = Buffer.from(
    JSON.stringify({ weight: { dtype: "F32", shape: [2], data_offsets: [0, 8] } }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.byteLength));
  return Buffer.concat([length, header, Buffer.alloc(8)]);
}

/** A header that claims to be longer than any file. */
function lyingSafetensors(): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(2n ** 60n);
  return Buffer.concat([length, Buffer.from("{}")]);
}

const TOKENIZER = {
  "config.json": JSON.stringify({
    model_type: "bert",
    architectures: ["BertModel"],
    vocab_size: 9,
  }),
  "tokenizer.json": JSON.stringify({
    version: "1.0",
    model: { type: "WordPiece", vocab: { a: 0 } },
  }),
};
const INDEX = JSON.stringify({
  metadata: { total_size: 8 },
  weight_map: {
    weight: "model-00001-of-00002.safetensors",
    bias: "model-00002-of-00002.safetensors",
  },
});

function mlflow(flavour: string): string {
  return `flavors:\n  ${flavour}:\n    data: model\nmlflow_version: 2.9.0\nmodel_uuid: "1"\n`;
}

const TFJS = JSON.stringify({
  format: "layers-model",
  modelTopology: { class_name: "Sequential", config: [] },
  weightsManifest: [
    {
      paths: ["group1-shard1of1.bin"],
      weights: [{ name: "d/kernel", shape: [2], dtype: "float32" }],
    },
  ],
});

/** A sample of every kind: what frameworks wrote where they write files, and plain text where people do. */
export const KIND_SAMPLES: Readonly<Record<ModelKind, () => KindSample>> = {
  class: () => ({
    files: { "Iris.py": "class Iris:\n    def predict(self, X, names):\n        return X\n" },
    broken: { "Iris.py": "# only a comment\n" },
    says: /no class with predict/,
  }),
  onnx: () => ({
    files: file("onnx/digits.onnx", "model.onnx"),
    broken: { "model.onnx": "this is what a proxy says\n".repeat(20) },
    says: /text|not an ONNX/i,
  }),
  "tf-savedmodel": () => ({
    files: folder("kinds/savedmodel-keras3"),
    broken: without(folder("kinds/savedmodel-keras3"), /^variables/),
    says: /variables/,
  }),
  "tf-frozen-graph": () => ({
    files: folder("kinds/graph-tf1.4-uint8"),
    broken: { "graph.pb": Buffer.from("9f8e7d6c5b4a39281706", "hex") },
    says: /GraphDef/,
  }),
  "tf-checkpoint": () => ({
    files: folder("kinds/ckpt-tf1.4-v1"),
    broken: without(folder("kinds/ckpt-tf1.4-v1"), /\.meta$|^model\.ckpt-(?:9|10)$/),
    says: /\.meta|no model/,
  }),
  keras: () => ({
    files: folder("kinds/keras-3-h5"),
    broken: without(folder("kinds/keras-2.1.3-rnn-json"), /\.json$/),
    says: /architecture/,
  }),
  pytorch: () => ({
    files: folder("kinds/torch-traced"),
    broken: without(folder("kinds/torch-state-zip"), /\.py$/),
    says: /state dict/,
  }),
  sklearn: () => ({
    files: file("pickles/bayes.joblib", "bayes.joblib"),
    broken: cut(file("pickles/bayes.joblib", "bayes.joblib"), 0.8),
    says: /ends in the middle/,
  }),
  skops: () => ({
    files: folder("kinds/skops-0.16"),
    broken: cut(folder("kinds/skops-0.16"), 0.7),
    says: /truncated|incomplete|central directory|zip/i,
  }),
  xgboost: () => ({
    files: folder("kinds/xgboost-ubj"),
    broken: cut(folder("kinds/xgboost-0.72-softprob"), 0.6),
    says: /cut|short|truncated|incomplete/i,
  }),
  lightgbm: () => ({
    files: folder("kinds/lightgbm-2.1"),
    broken: cut(folder("kinds/lightgbm-2.1"), 0.5),
    says: /tree|cut|truncated/i,
  }),
  catboost: () => ({
    files: folder("kinds/catboost-1.2"),
    broken: cut(folder("kinds/catboost-1.2"), 0.5),
    says: /cut|short|truncated|incomplete|longer/i,
  }),
  pmml: () => ({
    files: folder("kinds/pmml-tree"),
    broken: cut(folder("kinds/pmml-tree"), 0.6),
    says: /XML|end|closed/i,
  }),
  caffe: () => ({
    files: folder("kinds/caffe-sr"),
    broken: without(folder("kinds/caffe-sr"), /\.caffemodel$/),
    says: /caffemodel/,
  }),
  mxnet: () => ({
    files: folder("kinds/mxnet-module"),
    broken: without(folder("kinds/mxnet-module"), /\.params$/),
    says: /params/,
  }),
  huggingface: () => ({
    files: { ...TOKENIZER, "model.safetensors": safetensors() },
    broken: {
      ...TOKENIZER,
      "model.safetensors.index.json": INDEX,
      "model-00001-of-00002.safetensors": safetensors(),
    },
    says: /model-00002-of-00002\.safetensors/,
  }),
  mlflow: () => ({
    files: { MLmodel: mlflow("prophet"), model: "x" },
    broken: { MLmodel: "<html>not found</html>" },
    says: /HTML|no YAML|no flavour|no model/i,
  }),
  safetensors: () => ({
    files: { "model.safetensors": safetensors() },
    broken: { "model.safetensors": lyingSafetensors() },
    says: /header/,
  }),
  gguf: () => ({
    files: folder("kinds/gguf-tiny"),
    broken: cut(folder("kinds/gguf-tiny"), 0.3),
    says: /cut|short|end|truncated|incomplete/i,
  }),
  tflite: () => ({
    files: folder("kinds/tflite-tiny"),
    broken: cut(folder("kinds/tflite-tiny"), 0.4),
    says: /cut|short|end|truncated|damaged|beyond|outside/i,
  }),
  tfjs: () => ({
    files: { "model.json": TFJS, "group1-shard1of1.bin": new Uint8Array(8) },
    broken: { "model.json": TFJS },
    says: /group1-shard1of1\.bin/,
  }),
  numpy: () => ({
    files: folder("kinds/numpy-npz"),
    broken: cut(folder("kinds/numpy-npz"), 0.6),
    says: /zip|truncated|incomplete|central/i,
  }),
};
