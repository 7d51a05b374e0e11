import type { RandomReader } from "../../../ground/bytes/index.ts";
import { openHdf5, type Hdf5Object } from "../hdf5/hdf5-file.ts";
import { Hdf5Error } from "../hdf5/source.ts";
import { invalidModel } from "../files/model-file.ts";

/** What an HDF5 file of Keras says. */
export interface KerasHdf5 {
  readonly kerasVersion?: string;
  readonly backend?: string;
  /** The architecture, as JSON text. */
  readonly modelConfig?: string;
  readonly hasOptimizer: boolean;
  /** Layers in the order of the file. */
  readonly layers: readonly { readonly name: string; readonly weights: number }[];
  /** Numbers in all weights. */
  readonly parameters: number;
  readonly weightCount: number;
}

const MAX_DEPTH = 12;
const MAX_OBJECTS = 100_000;

/**
 * Reads what Keras wrote into an HDF5 file: a whole model, or weights alone, of any release.
 * @throws ProjectError `MODEL_FILE_INVALID` when it is damaged, or no file of Keras.
 */
export function readKerasHdf5(reader: RandomReader, path: string): KerasHdf5 {
  try {
    return readRoot(openHdf5(reader), path);
  } catch (error) {
    if (!(error instanceof Hdf5Error)) throw error;
    throw invalidModel(path, `it is not a Keras model: ${error.message}`, {
      cause: error,
      hint: "save the model again, and copy the file whole",
    });
  }
}

function readRoot(root: Hdf5Object, path: string): KerasHdf5 {
  const weights = root.child("model_weights") ?? root;
  const names = textList(weights, "layer_names");
  const isKeras3 = names.length === 0 && root.names.some((name) => /^_?layer/.test(name));
  if (names.length === 0 && !isKeras3 && !root.attributes.has("model_config"))
    throw invalidModel(path, "it is HDF5, but neither a model nor weights of Keras", {
      hint: "write a Python class that loads it, and name the class with code:",
    });
  const counted = isKeras3
    ? countKeras3(root)
    : countLayers(weights, names.length > 0 ? names : weights.names);
  return {
    ...textsOf(root, weights),
    hasOptimizer: ["optimizer_weights", "optimizer"].some((name) => root.names.includes(name)),
    ...counted,
  };
}

function textsOf(
  root: Hdf5Object,
  weights: Hdf5Object,
): Pick<KerasHdf5, "kerasVersion" | "backend" | "modelConfig"> {
  const version = oneText(root, "keras_version") ?? oneText(weights, "keras_version");
  const backend = oneText(root, "backend") ?? oneText(weights, "backend");
  const modelConfig = oneText(root, "model_config");
  return {
    ...(version !== undefined && { kerasVersion: version }),
    ...(backend !== undefined && { backend }),
    ...(modelConfig !== undefined && { modelConfig }),
  };
}

type Counted = Pick<KerasHdf5, "layers" | "parameters" | "weightCount">;

function countLayers(weights: Hdf5Object, names: readonly string[]): Counted {
  const budget = { left: MAX_OBJECTS };
  const layers = names.map((name) => {
    const group = weights.child(name);
    return {
      name,
      ...(group === undefined ? { parameters: 0, weights: 0 } : countUnder(group, budget, 0)),
    };
  });
  return totalOf(layers);
}

/** Keras 3 keeps weights as `layers/NAME/vars/0`. */
function countKeras3(root: Hdf5Object): Counted {
  const budget = { left: MAX_OBJECTS };
  const tops = root.names.filter((name) => !name.startsWith("optimizer"));
  const layers = tops.flatMap((top) => {
    const group = root.child(top);
    return (group?.names ?? []).map((name) => {
      const layer = group?.child(name);
      return {
        name,
        ...(layer === undefined ? { parameters: 0, weights: 0 } : countUnder(layer, budget, 0)),
      };
    });
  });
  return totalOf(layers);
}

function totalOf(
  layers: readonly {
    readonly name: string;
    readonly parameters: number;
    readonly weights: number;
  }[],
): Counted {
  return {
    layers: layers.map(({ name, weights }) => ({ name, weights })),
    parameters: layers.reduce((sum, { parameters }) => sum + parameters, 0),
    weightCount: layers.reduce((sum, { weights }) => sum + weights, 0),
  };
}

function countUnder(
  object: Hdf5Object,
  budget: { left: number },
  depth: number,
): { readonly parameters: number; readonly weights: number } {
  budget.left -= 1;
  if (budget.left < 0 || depth > MAX_DEPTH) throw new Hdf5Error("its groups are nested too deep");
  if (object.dataset !== undefined)
    return {
      parameters: object.dataset.shape.reduce((product, axis) => product * axis, 1),
      weights: 1,
    };
  let parameters = 0;
  let weights = 0;
  for (const name of object.names) {
    const child = object.child(name);
    if (child === undefined) continue;
    const inside = countUnder(child, budget, depth + 1);
    parameters += inside.parameters;
    weights += inside.weights;
  }
  return { parameters, weights };
}

function oneText(object: Hdf5Object, name: string): string | undefined {
  const attribute = object.attributes.get(name);
  return attribute === undefined ? undefined : attribute.texts()[0];
}

/** Long lists are split into `NAME0`, `NAME1`, … @see keras, legacy_h5_format.py, load_attributes_from_hdf5_group */
function textList(object: Hdf5Object, name: string): readonly string[] {
  const whole = object.attributes.get(name);
  if (whole !== undefined) return whole.texts();
  const parts: string[] = [];
  for (let index = 0; ; index += 1) {
    const part = object.attributes.get(`${name}${index}`);
    if (part === undefined) return parts;
    parts.push(...part.texts());
  }
}
