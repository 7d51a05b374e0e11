import type { OutputUnit, Schema } from "@cfworker/json-schema";
import type { JsonSchema } from "./json-schema.ts";

/** The first thing in a document that its schema does not allow. */
export interface Problem {
  /** `unknown-key`: the last part of `path` is the key, `schema` that of the object. `bad-key`: `schema` is that of the keys. `missing-key`: both are of the object. */
  readonly kind: "value" | "unknown-key" | "bad-key" | "missing-key";
  readonly path: readonly (string | number)[];
  readonly schema: JsonSchema;
}

/** Checks a document. @returns the problem that comes first in the document, the deepest one of those that say the same. */
export async function findProblem(
  value: unknown,
  schema: JsonSchema,
): Promise<Problem | undefined> {
  const { Validator } = await import("@cfworker/json-schema");
  // The library's type is the same vocabulary, not read-only.
  const { errors } = new Validator(schema as Schema, "2020-12", false).validate(value);
  const problems = errors.flatMap((unit) => problemOf(unit, schema) ?? []);
  // An unknown key is reported before what may follow from it, a wrong value as deep as it is known.
  return (
    problems.find(({ kind }) => kind === "unknown-key") ??
    problems.toSorted((one, other) => other.path.length - one.path.length)[0]
  );
}

/** Keywords that only say that something inside is wrong. */
const OUTER = new Set(["properties", "items", "prefixItems", "$ref", "if"]);

function problemOf(
  { keyword, keywordLocation, instanceLocation }: OutputUnit,
  root: JsonSchema,
): Problem | undefined {
  const path = pointerParts(instanceLocation).map((part) =>
    /^\d+$/.test(part) ? Number(part) : part,
  );
  const owner = pointerParts(keywordLocation).slice(0, -1);
  if (OUTER.has(keyword) || owner.includes("anyOf")) return undefined;
  if (keyword === "additionalProperties") return undefined; // its inner "false" names the key
  if (keyword === "false")
    return { kind: "unknown-key", path, schema: schemaOf(path.slice(0, -1), root) ?? {} };
  if (keyword === "propertyNames") return undefined;
  if (owner.includes("propertyNames"))
    return { kind: "bad-key", path, schema: follow(owner, root) ?? {} };
  const schema = follow(owner, root);
  return schema === undefined
    ? undefined
    : { kind: keyword === "required" ? "missing-key" : "value", path, schema };
}

/** The schema of the value at a path. */
function schemaOf(path: Problem["path"], root: JsonSchema): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>((schema, part) => {
    if (typeof part === "number") return schema?.items;
    const extra = schema?.additionalProperties;
    return schema?.properties?.[part] ?? (typeof extra === "object" ? extra : undefined);
  }, root);
}

function follow(parts: readonly string[], root: JsonSchema): JsonSchema | undefined {
  return parts.reduce<unknown>(
    (node, part) =>
      typeof node === "object" && node !== null
        ? (node as Record<string, unknown>)[part]
        : undefined,
    root,
  ) as JsonSchema | undefined;
}

function pointerParts(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => decodeURI(part).replaceAll("~1", "/").replaceAll("~0", "~"));
}
