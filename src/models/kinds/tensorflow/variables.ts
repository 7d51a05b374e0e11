import { openCheckpoint } from "../../tensorflow/index.ts";
import { ProjectError } from "../../../ground/errors/index.ts";
import type { ModelFile } from "../contracts.ts";
import { invalidModel } from "../files/model-file.ts";

/** What the weights of a checkpoint come to. */
export interface CheckpointWeights {
  readonly variables: number;
  /** Numbers in all of them. */
  readonly parameters: number;
  readonly names: readonly string[];
}

const STRING = 7;

/**
 * Counts the variables of a tensor bundle, and sees that its data files are there.
 * @param prefix - absolute, without endings. @param path - how the index is called in errors.
 * @throws ProjectError `MODEL_FILE_INVALID` naming the data file that is missing.
 */
export function readVariables(
  prefix: string,
  path: string,
  files: readonly ModelFile[],
): CheckpointWeights {
  checkShards(path, files);
  return countVariables(prefix, path, []);
}

/** Counts the variables of a checkpoint of either format. @param v1Files - absolute; empty for tensor bundles. */
export function countVariables(
  prefix: string,
  path: string,
  v1Files: readonly string[],
): CheckpointWeights {
  try {
    using checkpoint = openCheckpoint({ prefix, step: undefined, v1Files, hasGraph: false });
    // Text is bookkeeping of TensorFlow 2, no weight.
    const tensors = [...checkpoint.tensors.values()].filter(({ dtype }) => dtype !== STRING);
    return {
      variables: tensors.length,
      parameters: tensors.reduce(
        (sum, { shape }) => sum + shape.reduce((product, axis) => product * axis, 1),
        0,
      ),
      names: tensors.map(({ name }) => name).toSorted(),
    };
  } catch (error) {
    if (!(error instanceof ProjectError)) throw error;
    throw invalidModel(path, `it is not a whole checkpoint: ${error.message}`, { cause: error });
  }
}

/** `PREFIX.data-00000-of-00002` says how many there are. */
function checkShards(path: string, files: readonly ModelFile[]): void {
  const prefix = path.slice(0, -".index".length);
  const shards = files
    .map((file) => file.path)
    .filter((name) => name.startsWith(`${prefix}.data-`) && /\.data-\d{5}-of-\d{5}$/.test(name));
  const count = Number(/-of-(\d{5})$/.exec(shards[0] ?? "")?.[1] ?? 1);
  const wanted = Array.from(
    { length: Math.min(count, 1000) },
    (_, index) =>
      `${prefix}.data-${String(index).padStart(5, "0")}-of-${String(count).padStart(5, "0")}`,
  );
  const missing = wanted.filter((name) => !shards.includes(name));
  if (missing.length > 0)
    throw invalidModel(path, `its weights are missing: there is no "${missing[0] ?? ""}"`, {
      hint: "copy all .data files beside the .index file",
    });
}
