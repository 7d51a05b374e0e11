import type { DetectedModel, StatedTensor } from "../../../src/models/kinds/index.ts";

/** What a corpus says of a model, in its own words. */
export type Expected = Readonly<Record<string, unknown>>;

/** Our names of details, where they are not the corpus's without underscores. */
const ALIASES: Readonly<Record<string, string>> = {
  opset: "opsets",
  extrafiles: "extrafiles",
  layernamescount: "layercount",
  classescount: "classes",
};
const DATATYPES: Readonly<Record<string, string>> = {
  FP16: "float16",
  BF16: "bfloat16",
  FP32: "float32",
  FP64: "float64",
  BYTES: "string",
};

/** Everything in which a description is not what the corpus says; empty when it is right. */
export function differences(expected: Expected, found: DetectedModel): readonly string[] {
  const details = plainKeys(found.details);
  return Object.entries(expected).flatMap(([key, want]) => {
    const have = valueFor(key, found, details);
    return sameValue(key, want, have) ? [] : [`${key}: want ${shown(want)}, have ${shown(have)}`];
  });
}

function valueFor(
  key: string,
  found: DetectedModel,
  details: ReadonlyMap<string, unknown>,
): unknown {
  const plain = plainName(key);
  if (key === "inputs") return found.inputs ?? found.signature?.inputs;
  if (key === "outputs" && !details.has("outputs"))
    return found.outputs ?? found.signature?.outputs;
  if (key === "labels_count") return found.labels?.length;
  if (key === "labels_first") return found.labels;
  if (key === "groups") return details.get("layernames");
  if (key === "custom") return details.get("custom");
  return details.get(ALIASES[plain] ?? plain);
}

function sameValue(key: string, want: unknown, have: unknown): boolean {
  if (key === "inputs" || (key === "outputs" && isTensorList(want))) return sameTensors(want, have);
  // These name the first few only.
  if (/^(names_sample|labels_first|groups)$/.test(key))
    return (
      Array.isArray(want) &&
      Array.isArray(have) &&
      want.every((item) => have.includes(item as never))
    );
  if (key === "suggested_outputs") return Array.isArray(have) && have.includes(first(want));
  if (key === "input_layers") return sameSet(want, have);
  if (want === null || want === "") return have === undefined || have === want;
  return JSON.stringify(normalised(want)) === JSON.stringify(normalised(have));
}

function first(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : value;
}

/** The order of layers in a file is not that of a model's inputs. */
function sameSet(want: unknown, have: unknown): boolean {
  const texts = (value: unknown): readonly string[] =>
    Array.isArray(value) ? value.map((item) => JSON.stringify(normalised(item))).toSorted() : [];
  return texts(want).join() === texts(have).join();
}

function isTensorList(value: unknown): boolean {
  return Array.isArray(value) && typeof value[0] === "object";
}

function sameTensors(want: unknown, have: unknown): boolean {
  if (!Array.isArray(want) || !Array.isArray(have) || want.length !== have.length) return false;
  return want.every((tensor: Readonly<Record<string, unknown>>, index) => {
    const ours = have[index] as StatedTensor;
    return (
      ours.name === tensor["name"] &&
      normalisedType(ours.datatype) === (tensor["dtype"] ?? normalisedType(ours.datatype)) &&
      JSON.stringify(ours.shape) === JSON.stringify(tensor["shape"]) &&
      (tensor["optional"] === undefined || ours.isOptional === tensor["optional"]) &&
      (tensor["dim_names"] === undefined ||
        JSON.stringify(ours.axes) === JSON.stringify(tensor["dim_names"]))
    );
  });
}

function normalisedType(name: string | undefined): string | undefined {
  return name === undefined ? undefined : (DATATYPES[name] ?? name.toLowerCase());
}

/** Keys without underscores and in order, datatypes in numpy's words, numbers as text. */
function normalised(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalised);
  if (typeof value === "string")
    return DATATYPES[value] ?? (/^U?INT\d+$|^BOOL$/.test(value) ? value.toLowerCase() : value);
  if (typeof value === "number") return `${value}`;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(
        ([key, item]) =>
          [KEYS[plainName(key)] ?? plainName(key), normalisedItem(key, item)] as const,
      )
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

const KEYS: Readonly<Record<string, string>> = { dtype: "datatype" };

function normalisedItem(key: string, item: unknown): unknown {
  return /^(dtype|datatype)$/.test(key) && typeof item === "string"
    ? normalisedType(item)
    : normalised(item);
}

function plainKeys(details: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(details).map(([key, value]) => [plainName(key), value]));
}

function plainName(key: string): string {
  return key.replaceAll("_", "").toLowerCase();
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 400);
}
