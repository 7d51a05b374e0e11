import { isDatatype } from "../../../models/tensor/index.ts";
import type { Signature, TensorSpec } from "../../../models/tensor/index.ts";
import { isList, isObject, JsonNumber, type JsonNode, type JsonObject } from "../json/index.ts";
import { SeldonError } from "./seldon-error.ts";

const KEYS: ReadonlySet<string> = new Set([
  "name",
  "versions",
  "platform",
  "inputs",
  "outputs",
  "custom",
]);
/** Datatypes that metadata may name. */
const NO_DATATYPES: ReadonlySet<string> = new Set(["BF16"]);
const ARRAY_TYPES: ReadonlySet<string> = new Set(["tensor", "ndarray", "tftensor"]);
const BARE_TYPES: ReadonlySet<string> = new Set(["strData", "binData"]);

export interface MetadataSources {
  /** What `init_metadata` returned; absent when there is none. */
  readonly user?: JsonNode | undefined;
  /** `MODEL_METADATA`, parsed; wins key by key. */
  readonly env?: JsonNode | undefined;
  /** Name and version of the image; empty text when unknown. */
  readonly image: string;
  readonly version: string;
  /** What the model file itself says, where nobody says anything else. */
  readonly signature?: Signature | undefined;
  /** `SELDON_STRICT_COMPAT=1`: what is wrong goes unsaid. */
  readonly isStrict?: boolean;
}

/**
 * The model's metadata, from what its class and the environment say, with every key filled in.
 * @throws SeldonError 500 `MICROSERVICE_BAD_METADATA` naming the first key that is wrong
 */
export function resolveMetadata({
  user,
  env,
  image,
  version,
  signature,
  isStrict = false,
}: MetadataSources): JsonObject {
  const bad = (why: string): SeldonError =>
    new SeldonError(
      500,
      isStrict ? "Model metadata unavailable" : `Model metadata is invalid: ${why}`,
      "MICROSERVICE_BAD_METADATA",
    );
  const metadata = new Map(defaults({ image, version, signature }));
  for (const source of [user, env]) {
    for (const [key, value] of isObject(source) ? source : []) {
      if (!KEYS.has(key)) throw bad(`"${key}" is not a known key`);
      metadata.set(key, value);
    }
  }
  for (const [key, value] of metadata)
    if (!isValid(key, value)) throw bad(`"${key}" is not of the right form`);
  return metadata;
}

function defaults({
  image,
  version,
  signature = { inputs: [], outputs: [] },
}: Pick<MetadataSources, "image" | "version" | "signature">): readonly (readonly [
  string,
  JsonNode,
])[] {
  return [
    ["name", image],
    ["versions", [version]],
    ["platform", ""],
    ["inputs", signature.inputs.map(specNode)],
    ["outputs", signature.outputs.map(specNode)],
    ["custom", new Map()],
  ];
}

function isValid(key: string, value: JsonNode): boolean {
  if (key === "name" || key === "platform") return typeof value === "string";
  if (key === "versions") return isList(value) && value.every((item) => typeof item === "string");
  if (key === "custom")
    return isObject(value) && [...value.values()].every((item) => typeof item === "string");
  return isList(value) && value.every((item) => isObject(item) && isMessage(item));
}

function isMessage(node: JsonObject): boolean {
  const type = node.get("messagetype");
  if (type === undefined) return isV2Tensor(node);
  if (typeof type !== "string") return false;
  if (BARE_TYPES.has(type)) return hasOnly(node, ["messagetype"]);
  if (!hasOnly(node, ["messagetype", "schema"])) return false;
  const schema = node.get("schema") ?? new Map<string, JsonNode>();
  if (!isObject(schema) || node.get("schema") === null) return false;
  return (
    !ARRAY_TYPES.has(type) ||
    (hasOnly(schema, ["names", "shape"]) &&
      isNames(schema.get("names")) &&
      isShape(schema.get("shape")))
  );
}

function isV2Tensor(node: JsonObject): boolean {
  const { name = "", datatype = "FP32" } = Object.fromEntries(node);
  const isKnown =
    typeof datatype === "string" && isDatatype(datatype) && !NO_DATATYPES.has(datatype);
  return (
    hasOnly(node, ["name", "datatype", "shape"]) &&
    typeof name === "string" &&
    isKnown &&
    isShape(node.get("shape"))
  );
}

function isNames(node: JsonNode | undefined): boolean {
  return node === undefined || (isList(node) && node.every((name) => typeof name === "string"));
}

function isShape(node: JsonNode | undefined): boolean {
  return (
    node === undefined ||
    (isList(node) &&
      node.every((axis) => axis instanceof JsonNumber && Number.isInteger(Number(axis.text))))
  );
}

function hasOnly(node: JsonObject, keys: readonly string[]): boolean {
  return [...node.keys()].every((key) => keys.includes(key));
}

function specNode({ name, datatype, shape }: TensorSpec): JsonObject {
  return new Map<string, JsonNode>([
    ["name", name],
    ["datatype", datatype],
    ["shape", shape.map((axis) => new JsonNumber(String(axis), false))],
  ]);
}

/** Plain values, as a YAML parser makes them, as JSON nodes. What JSON does not know becomes text. */
export function nodeOf(value: unknown): JsonNode {
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "bigint") return new JsonNumber(String(value), false);
  if (typeof value === "number") return new JsonNumber(String(value), !Number.isInteger(value));
  if (Array.isArray(value)) return value.map(nodeOf);
  if (typeof value === "object")
    return new Map(Object.entries(value).map(([key, item]) => [key, nodeOf(item)]));
  return "";
}
