import { stripControls, ToolError } from "../../../ground/errors/index.ts";
import type { Credential } from "./contracts.ts";

/** One entry of `auths`. */
export interface AuthEntry {
  readonly username?: string;
  readonly password?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

/** What is read of docker's `config.json` and of podman's `auth.json`. */
export interface AuthFile {
  readonly auths: ReadonlyMap<string, AuthEntry>;
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads such a file. Fields that are not known are passed over; an entry that cannot be read stops it only when it is used.
 * @param place - the file or variable, for errors.
 * @throws ToolError `CREDENTIAL_INVALID`.
 */
export function parseAuthFile(text: string, place: string): AuthFile {
  const document = fieldsOf(parseJson(text, place)) ?? raise(place, "it is not a JSON object");
  const auths = fieldsOf(document["auths"] ?? {}) ?? raise(place, `"auths" is not an object`);
  const helpers =
    fieldsOf(document["credHelpers"] ?? {}) ?? raise(place, `"credHelpers" is not an object`);
  const store = document["credsStore"];
  return {
    auths: new Map(Object.entries(auths).flatMap(([key, value]) => entryOf(key, fieldsOf(value)))),
    credHelpers: new Map(
      Object.entries(helpers).flatMap(([key, value]) =>
        typeof value === "string" && value !== "" ? [[key, value]] : [],
      ),
    ),
    ...(typeof store === "string" && store !== "" ? { credsStore: store } : {}),
  };
}

/** The credential that an entry holds; nothing when it is empty, as docker leaves it when a helper keeps the secret. */
export function credentialOf(entry: AuthEntry): Credential | undefined {
  if (entry.identityToken !== undefined)
    return { kind: "identity-token", token: entry.identityToken };
  if (entry.registryToken !== undefined)
    return { kind: "registry-token", token: entry.registryToken };
  if (entry.username === undefined || entry.username === "") return undefined;
  return { kind: "basic", username: entry.username, password: entry.password ?? "" };
}

/** The `auth` field: base64 of `user:password`. */
export function encodeAuth(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`, "utf8").toString("base64");
}

function entryOf(key: string, fields: Fields | undefined): [string, AuthEntry][] {
  if (fields === undefined) return [];
  const pair = decodeAuth(textField(fields, "auth"));
  const username = pair?.[0] ?? textField(fields, "username");
  const password = pair?.[1] ?? textField(fields, "password");
  const identityToken = textField(fields, "identitytoken");
  const registryToken = textField(fields, "registrytoken");
  return [
    [
      key,
      {
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        ...(identityToken === undefined ? {} : { identityToken }),
        ...(registryToken === undefined ? {} : { registryToken }),
      },
    ],
  ];
}

/** Some writers pad the text with NUL bytes. */
function decodeAuth(text: string | undefined): readonly [string, string] | undefined {
  if (text === undefined) return undefined;
  const pair = Buffer.from(text, "base64").toString("utf8").replaceAll("\0", "");
  const colon = pair.indexOf(":");
  return colon < 0 ? undefined : [pair.slice(0, colon), pair.slice(colon + 1)];
}

function textField(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function fieldsOf(value: unknown): Fields | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return value as Fields; // an object; every field is checked where it is read
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's message quotes the text, which holds secrets.
    if (error instanceof SyntaxError) return raise(place, "it is not JSON");
    throw error;
  }
}

function raise(place: string, why: string): never {
  throw new ToolError(
    "CREDENTIAL_INVALID",
    `read credentials from ${stripControls(place)}: ${why}`,
    { hint: "mend the file, or log in again" },
  );
}
