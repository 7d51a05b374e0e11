import type { StatedTensor } from "../contracts.ts";
import { datatypeNamed } from "../files/datatype-names.ts";
import { isJsonObject, listIn, objectIn, stringIn, type JsonObject } from "../files/json-file.ts";

/** What the configuration of a Keras model says. */
export interface KerasArchitecture {
  /** `Sequential`, `Functional`, `Model`, or a class of the user's. */
  readonly className: string;
  readonly layers: readonly KerasLayer[];
  readonly inputs: readonly StatedTensor[];
  readonly outputs: readonly StatedTensor[];
  /** What no release of Keras can restore by itself: where it stands, and the word. */
  readonly custom: readonly { readonly layer: string; readonly name: string }[];
}

export interface KerasLayer {
  readonly name: string;
  readonly className: string;
}

const MAX_DEPTH = 16;
const MAX_LAYERS = 100_000;
/** Layers that have no weights, in the spellings of Keras 1 to 3. */
const WEIGHTLESS =
  /^(InputLayer|Activation|.*Dropout.*|Flatten|Reshape|Permute|RepeatVector|.*Pool(ing)?\dD|Merge|Add|Subtract|Multiply|Average|Maximum|Minimum|Concatenate|Dot|ZeroPadding\dD|UpSampling\dD|Cropping\dD|Masking|Gaussian.*|ReLU|LeakyReLU|ELU|ThresholdedReLU|Softmax|Lambda|ActivityRegularization|Rescaling|Resizing|Random.*|TFOpLambda|SlicingOpLambda|CenterCrop)$/;
const MODELS = /^(Sequential|Model|Functional)$/;

/** True when a JSON object is the configuration of a Keras model, as `to_json()` and `model_config` write it. */
export function isKerasModel(value: JsonObject): boolean {
  const name = stringIn(value, "class_name");
  return name !== undefined && value["config"] !== undefined && !("node_index" in value);
}

/** True for a layer that is saved with weights. */
export function hasWeights({ className }: KerasLayer): boolean {
  return !WEIGHTLESS.test(className);
}

/** Reads the configuration of a model of Keras 1, 2 or 3. */
export function readArchitecture(model: JsonObject): KerasArchitecture {
  const layers = layersIn(model);
  const custom = layers.flatMap((layer) => customIn(layer)).slice(0, 100);
  return {
    className: stringIn(model, "class_name") ?? "",
    layers: layers.map((layer) => ({ name: layerName(layer), className: classNameOf(layer) })),
    inputs: inputsOf(model, 0),
    outputs: outputsOf(model, layers),
    custom,
  };
}

/**
 * The inputs by the names that Keras gives the tensors. A sequential model without an input layer of its own gets one, called after the
 * first layer; the loader in the worker follows the same rule.
 */
export function inputTensors({
  className,
  layers,
  inputs,
}: KerasArchitecture): readonly StatedTensor[] {
  const isNamed = className !== "Sequential" || layers[0]?.className === "InputLayer";
  return isNamed ? inputs : inputs.map((input) => ({ ...input, name: `${input.name}_input` }));
}

function layersIn(model: JsonObject): readonly JsonObject[] {
  const config = model["config"];
  const layers = Array.isArray(config)
    ? config
    : isJsonObject(config)
      ? listIn(config, "layers")
      : [];
  return layers.filter(isJsonObject).slice(0, MAX_LAYERS);
}

function layerName(layer: JsonObject): string {
  return stringIn(objectIn(layer, "config"), "name") ?? stringIn(layer, "name") ?? "";
}

function classNameOf(layer: JsonObject): string {
  return stringIn(layer, "class_name") ?? "";
}

/** Names of `input_layers` or `output_layers`: `[["a", 0, 0], ...]`, or `["a", 0, 0]` for the only one. */
function namesUnder(model: JsonObject, key: string): readonly string[] {
  const config = objectIn(model, "config");
  const places = config[key];
  if (!Array.isArray(places)) {
    // Keras 3 writes a dictionary when the model's inputs are one.
    const inside = Object.values(objectIn(config, key));
    return inside.flatMap((place) => (Array.isArray(place) ? [String(place[0])] : []));
  }
  if (typeof places[0] === "string") return [places[0]];
  return places.flatMap((place: unknown) =>
    Array.isArray(place) && typeof place[0] === "string" ? [place[0]] : [],
  );
}

function inputsOf(model: JsonObject, depth: number): readonly StatedTensor[] {
  const layers = layersIn(model);
  const named = namesUnder(model, "input_layers");
  if (named.length > 0)
    return named.map((name) => {
      const layer = layers.find((one) => layerName(one) === name);
      return layerTensor(name, layer === undefined ? null : shapeOf(layer), layer);
    });
  const [first] = layers;
  if (first === undefined) return [];
  const shape = shapeOf(first) ?? axesIn(objectIn(model, "config")["build_input_shape"]);
  if (shape === null && MODELS.test(classNameOf(first)) && depth < MAX_DEPTH)
    return inputsOf(first, depth + 1);
  return [layerTensor(layerName(first), shape, first)];
}

function layerTensor(
  name: string,
  shape: readonly number[] | null,
  layer: JsonObject | undefined,
): StatedTensor {
  return { name, datatype: datatypeNamed(dtypeOf(layer)), shape };
}

function dtypeOf(layer: JsonObject | undefined): string {
  if (layer === undefined) return "float32";
  const config = objectIn(layer, "config");
  // An embedding takes indices; its dtype is that of its weights.
  if (classNameOf(layer) === "Embedding") return "float32";
  return (
    stringIn(config, "dtype") ??
    stringIn(config, "input_dtype") ??
    stringIn(objectIn(objectIn(config, "dtype"), "config"), "name") ??
    "float32"
  );
}

/** The batch axis is part of the shape. */
function shapeOf(layer: JsonObject): readonly number[] | null {
  const config = objectIn(layer, "config");
  const whole = axesIn(config["batch_input_shape"]) ?? axesIn(config["batch_shape"]);
  if (whole !== null) return whole;
  const rest = axesIn(config["input_shape"]) ?? axesIn(config["shape"]);
  if (rest !== null) return [-1, ...rest];
  const wrapped = config["layer"];
  return isJsonObject(wrapped) && classNameOf(layer) !== "TimeDistributed"
    ? shapeOf(wrapped)
    : null;
}

function axesIn(value: unknown): readonly number[] | null {
  if (!Array.isArray(value)) return null;
  return value.map((axis: unknown) => (typeof axis === "number" && axis > 0 ? axis : -1));
}

function outputsOf(model: JsonObject, layers: readonly JsonObject[]): readonly StatedTensor[] {
  const named = namesUnder(model, "output_layers");
  const names = named.length > 0 ? named : layers.slice(-1).map(layerName);
  return names.map((name) => ({
    name,
    datatype: "FP32",
    shape: outputShape(name, layers),
  }));
}

/** Known for the usual end of a classifier or regression: a dense layer after one that flattens. */
function outputShape(name: string, layers: readonly JsonObject[]): readonly number[] | null {
  let at = layers.findIndex((layer) => layerName(layer) === name);
  while (at > 0 && /^(Activation|.*Dropout|Softmax|ReLU)$/.test(classNameOf(layers[at] ?? {})))
    at -= 1;
  const layer = layers[at];
  if (layer === undefined || classNameOf(layer) !== "Dense") return null;
  const config = objectIn(layer, "config");
  const units = config["units"] ?? config["output_dim"];
  if (typeof units !== "number") return null;
  const isFlat = layers
    .slice(0, at)
    .some((one) => /^(Flatten|Global.*Pooling\dD)$/.test(classNameOf(one)));
  const input = layers.map(shapeOf).find((shape) => shape !== null);
  return isFlat || input?.length === 2 ? [-1, units] : null;
}

/** Functions written by a name that only the training script knew. */
function customIn(layer: JsonObject): readonly { readonly layer: string; readonly name: string }[] {
  const name = layerName(layer);
  const config = objectIn(layer, "config");
  const found = Object.values(config).some((value) => value === "<lambda>");
  return [
    ...(found ? [{ layer: name, name: "<lambda>" }] : []),
    ...(classNameOf(layer) === "Lambda" ? [{ layer: name, name: "Lambda" }] : []),
  ];
}
