import type { ModelFile } from "../contracts.ts";
import { invalidModel, openModelFile } from "./model-file.ts";

/** An object of JSON; its values are not checked yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Largest JSON file that is read as a whole, in bytes. */
export const MAX_JSON_BYTES: number = 16 * 2 ** 20;

/** Reads a JSON file that holds an object. @throws ProjectError `MODEL_FILE_INVALID` when it is too long, no JSON, or no object. */
export function readJsonFile(file: ModelFile, want: string): JsonObject {
  using reader = openModelFile(file, want);
  if (reader.size > MAX_JSON_BYTES)
    throw invalidModel(file.path, `it is longer than ${MAX_JSON_BYTES} bytes`);
  return parseJsonObject(reader.at(0, reader.size), file.path, want);
}

/** Parses bytes as an object of JSON. @param path - how it is called in errors. @throws ProjectError `MODEL_FILE_INVALID` */
export function parseJsonObject(bytes: Uint8Array, path: string, want: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalidModel(path, `it is not ${want}: it is no JSON`, { cause });
  }
  if (!isJsonObject(value)) throw invalidModel(path, `it is not ${want}: it holds no object`);
  return value;
}

/** True for objects that are no lists. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object under a key; an empty one when there is none. */
export function objectIn(value: JsonObject, key: string): JsonObject {
  const found = value[key];
  return isJsonObject(found) ? found : {};
}

/** The list under a key; an empty one when there is none. */
export function listIn(value: JsonObject, key: string): readonly unknown[] {
  const found = value[key];
  return Array.isArray(found) ? found : [];
}

/** The text under a key. */
export function stringIn(value: JsonObject, key: string): string | undefined {
  const found = value[key];
  return typeof found === "string" ? found : undefined;
}

/** The number under a key, also one that is written as text. */
export function numberIn(value: JsonObject, key: string): number | undefined {
  const found = value[key];
  const number = typeof found === "string" && found.trim() !== "" ? Number(found) : found;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}
