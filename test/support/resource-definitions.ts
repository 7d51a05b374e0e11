import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Validator, type Schema } from "@cfworker/json-schema";
import { parse } from "yaml";

/** Published definitions of resources, unchanged, gzipped. */
export const DEFINITIONS: string = join(import.meta.dirname, "../fixtures/crds");

/** The published schema of a resource, made strict: a server prunes what it does not know, and then the job is not what was written. */
export async function definitionOf(name: string): Promise<Schema> {
  const packed = await readFile(join(DEFINITIONS, `${name}.yaml.gz`));
  const crd = parse(gunzipSync(packed).toString("utf8")) as {
    readonly spec: {
      readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[];
    };
  };
  return strict(crd.spec.versions[0]?.schema.openAPIV3Schema);
}

function strict(schema: unknown): Schema {
  if (Array.isArray(schema)) return schema.map(strict) as unknown as Schema;
  if (typeof schema !== "object" || schema === null) return schema as Schema;
  const own = schema as Record<string, unknown>;
  const copy: Record<string, unknown> = Object.fromEntries(
    Object.entries(own).map(([key, value]) => [
      key,
      key === "properties"
        ? Object.fromEntries(
            Object.entries(value as object).map(([name, part]) => [name, strict(part)]),
          )
        : strict(value),
    ]),
  );
  if (
    own["properties"] !== undefined &&
    own["additionalProperties"] === undefined &&
    own["x-kubernetes-preserve-unknown-fields"] !== true
  )
    copy["additionalProperties"] = false;
  return copy as Schema;
}

/** What a value breaks of a schema. */
export function breaches(schema: Schema, value: unknown): readonly string[] {
  const { valid, errors } = new Validator(schema, "2019-09", false).validate(value);
  return valid ? [] : errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
}
