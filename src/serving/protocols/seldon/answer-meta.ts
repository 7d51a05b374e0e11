import {
  isList,
  isObject,
  JsonNumber,
  JsonReader,
  nodeText,
  pythonType,
  readNode,
  stringText,
  type JsonNode,
  type JsonObject,
} from "../json/index.ts";
import type { AnswerContext, AnswerSettings } from "./contracts.ts";
import { badInput } from "./seldon-error.ts";

const UNKNOWN_IMAGE = "NOT_IMPLEMENTED:NOT_IMPLEMENTED";

/** What the class adds to an answer's `meta`, as parsed JSON. */
export interface OwnMeta {
  readonly tags?: JsonObject;
  readonly metrics?: readonly JsonNode[];
}

/** Reads what a class returned for tags and metrics. The texts are checked by whoever made them. */
export function parseOwnMeta({
  tags,
  metrics,
}: {
  readonly tags?: string;
  readonly metrics?: string;
}): OwnMeta {
  const tagsNode = tags === undefined ? undefined : parseText(tags);
  const metricsNode = metrics === undefined ? undefined : parseText(metrics);
  return {
    ...(isObject(tagsNode) && { tags: tagsNode }),
    ...(isList(metricsNode) && { metrics: metricsNode }),
  };
}

/** Parses JSON text whole. @throws JsonError */
export function parseText(text: string): JsonNode {
  const reader = new JsonReader();
  reader.open(Buffer.from(text, "utf8"));
  const node = readNode(reader);
  reader.finish();
  return node;
}

/**
 * The `meta` of an answer: incoming tags and then the class's own, incoming metrics and then its own, the request path, and the puid.
 * @throws SeldonError 500 when an incoming part is of the wrong type
 */
export function mergeMeta(
  context: AnswerContext,
  own: OwnMeta,
  settings: AnswerSettings,
): JsonObject {
  const meta = new Map<string, JsonNode>();
  const odd = oddParts(context, own);
  const tags = odd.tags === undefined ? mergeTags(context, own) : odd.tags;
  if (!isFalsy(tags)) meta.set("tags", tags);
  const metrics =
    odd.metrics === undefined
      ? mergeMetrics(context, settings.includeMetrics ? own : {})
      : odd.metrics;
  if (!isFalsy(metrics)) meta.set("metrics", metrics);
  const path = new Map<string, JsonNode>(
    settings.unitId === undefined ? [] : [[settings.unitId, settings.unitImage ?? UNKNOWN_IMAGE]],
  );
  for (const [key, value] of mergeObjects(context.metas, "requestPath")) path.set(key, value);
  if (path.size > 0) meta.set("requestPath", path);
  if (context.puid !== undefined && !isFalsy(context.puid)) meta.set("puid", context.puid);
  return meta;
}

function mergeTags(context: AnswerContext, own: OwnMeta): JsonObject {
  const tags = mergeObjects(context.metas, "tags");
  for (const [key, value] of own.tags ?? []) tags.set(key, value);
  return tags;
}

function mergeMetrics({ metas }: AnswerContext, { metrics = [] }: OwnMeta): readonly JsonNode[] {
  return [...metas.flatMap((incoming) => listIn(incoming, "metrics")), ...metrics];
}

/**
 * Tags that are not an object, and metrics that are not a list. Those of a single message pass
 * through when there is nothing to add.
 */
function oddParts(
  { metas }: AnswerContext,
  own: OwnMeta,
): { readonly tags?: JsonNode; readonly metrics?: JsonNode } {
  const [meta, ...others] = metas;
  if (meta === undefined || others.length > 0) return {};
  const { tags: ownTags = NO_TAGS, metrics: ownMetrics = [] } = own;
  const [tags = NO_TAGS, metrics = []] = [meta.get("tags"), meta.get("metrics")];
  return {
    ...(!isObject(tags) && ownTags.size === 0 && { tags }),
    ...(!isList(metrics) && ownMetrics.length === 0 && { metrics }),
  };
}

const NO_TAGS: JsonObject = new Map();

/** The same as JSON text, without work for the common case of nothing to say. */
export function metaText(context: AnswerContext, own: OwnMeta, settings: AnswerSettings): string {
  const isPlain =
    context.metas.length === 0 &&
    context.puid === undefined &&
    own.tags === undefined &&
    own.metrics === undefined;
  if (!isPlain) return nodeText(mergeMeta(context, own, settings), settings);
  if (settings.unitId === undefined) return "{}";
  const { asciiOnly, unitId, unitImage } = settings;
  return `{"requestPath":{${stringText(unitId, asciiOnly)}:${stringText(unitImage ?? UNKNOWN_IMAGE, asciiOnly)}}}`;
}

function mergeObjects(metas: readonly JsonObject[], key: string): Map<string, JsonNode> {
  const merged = new Map<string, JsonNode>();
  for (const meta of metas) {
    const part = meta.get(key);
    if (part === undefined) continue;
    if (!isObject(part))
      throw badInput(
        `'${pythonType(part)}' object is not ${key === "requestPath" ? "a mapping" : "iterable"}`,
      );
    for (const [name, value] of part) merged.set(name, value);
  }
  return merged;
}

function listIn(meta: JsonObject, key: string): readonly JsonNode[] {
  const part = meta.get(key);
  if (part === undefined) return [];
  if (!isList(part)) throw badInput(`'${pythonType(part)}' object is not iterable`);
  return part;
}

/** Python's idea of it. */
function isFalsy(node: JsonNode): boolean {
  if (isList(node)) return node.length === 0;
  if (isObject(node)) return node.size === 0;
  return (
    node === null ||
    node === "" ||
    node === false ||
    (node instanceof JsonNumber && Number(node.text) === 0)
  );
}
