import { posix } from "node:path";
import type { Candidate, KindRow, ModelFacts, ModelFile, StatedTensor } from "../contracts.ts";
import { objectIn, readJsonFile } from "../files/json-file.ts";
import { filesBeside, folderOf, invalidModel, modelFileAt, pathIn } from "../files/model-file.ts";
import { readSafetensors } from "./safetensors-header.ts";

const NAME = /\.safetensors$/i;
const INDEX_NAME = /\.safetensors\.index\.json$/i;
const SHARD_NAME = /-\d{5}-of-\d{5}\.safetensors$/i;

/** Weights in safetensors, alone or as shards with their index: described. They have no architecture, so nothing can run them. */
export const safetensors: KindRow = {
  name: "safetensors",
  requirements: [],
  recognise: (files) => Promise.resolve(recogniseSafetensors(files)),
  describe: ({ modelPath = "" }, files) => {
    const weights = readWeights(files, modelPath);
    return Promise.resolve({
      files: weights.files,
      warnings: [],
      details: weightDetails(weights),
      obstacle: {
        code: "MODEL_FILE_INVALID",
        why: "it holds weights without their architecture: there is no config.json beside it",
        hint: "add the files of the model's folder that it came from, or write a class that builds it",
      },
    } satisfies ModelFacts);
  },
};

function recogniseSafetensors(files: readonly ModelFile[]): readonly Candidate[] {
  const indexes = files.filter(({ path }) => INDEX_NAME.test(path));
  const single = files.filter(
    ({ path }) =>
      NAME.test(path) &&
      !(SHARD_NAME.test(path) && indexes.some((index) => folderOf(index.path) === folderOf(path))),
  );
  return [...indexes, ...single].map(({ path }) => ({
    kind: "safetensors",
    modelPath: path,
    isCertain: false,
    label: `safetensors weights "${path}"`,
    parts: [path],
  }));
}

/** Weights of one file, or of all shards. */
export interface SafetensorsWeights {
  readonly files: readonly string[];
  readonly tensors: readonly StatedTensor[];
  readonly parameters: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads one file, or the index and every shard that it names. @throws ProjectError `MODEL_FILE_INVALID` naming the shard that is missing. */
export function readWeights(files: readonly ModelFile[], path: string): SafetensorsWeights {
  const file = modelFileAt(files, path);
  if (!INDEX_NAME.test(path)) return { files: [path], ...readSafetensors(file) };
  const index = readJsonFile(file, "an index of safetensors shards");
  const placed = Object.entries(objectIn(index, "weight_map"));
  const shards = [...new Set(placed.map(([, shard]) => String(shard)))].toSorted();
  if (shards.length === 0) throw invalidModel(path, "it names no shards");
  const folder = folderOf(path);
  const missing = shards.filter(
    (shard) => !files.some((one) => one.path === pathIn(folder, posix.normalize(shard))),
  );
  if (missing.length > 0)
    throw invalidModel(
      path,
      `${missing.length} of its ${shards.length} shards are missing: ${missing.slice(0, 5).join(", ")}`,
      { hint: "copy the missing files beside it" },
    );
  const read = shards.map((shard) =>
    readSafetensors(modelFileAt(files, pathIn(folder, posix.normalize(shard)))),
  );
  const names = new Set(read.flatMap(({ tensors }) => tensors.map(({ name }) => name)));
  const lost = placed.map(([name]) => name).filter((name) => !names.has(name));
  if (lost.length > 0)
    throw invalidModel(path, `tensor "${lost[0] ?? ""}" is in none of its shards`);
  return {
    files: [path, ...shards.map((shard) => pathIn(folder, posix.normalize(shard)))],
    tensors: read.flatMap(({ tensors }) => tensors),
    parameters: read.reduce((sum, { parameters }) => sum + parameters, 0),
    metadata: read[0]?.metadata ?? {},
  };
}

/** The details of weights: every tensor up to a thousand. */
export function weightDetails({
  files,
  tensors,
  parameters,
  metadata,
}: SafetensorsWeights): ModelFacts["details"] {
  return {
    shards: Math.max(1, files.length - 1),
    tensorCount: tensors.length,
    parameters,
    tensors: Object.fromEntries(
      tensors.slice(0, 1000).map(({ name, datatype = null, shape }) => [name, [datatype, shape]]),
    ),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}

/** The weights of a folder: the index when there is one, else the only file. */
export function weightsIn(files: readonly ModelFile[], folder: string): string | undefined {
  const beside = filesBeside(files, folder).map(({ path }) => path);
  const single = beside.filter((path) => NAME.test(path));
  return (
    beside.find((path) => INDEX_NAME.test(path)) ??
    (single.length === 1
      ? single[0]
      : single.find((path) => posix.basename(path) === "model.safetensors"))
  );
}
