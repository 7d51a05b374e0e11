import { parseDigest, type Digest } from "../oci/index.ts";
import { isToolError } from "../../ground/errors/index.ts";
import { Fault } from "./fault.ts";

/** What a request is about. @see distribution-spec, spec.md#endpoints */
export type Route =
  | { readonly kind: "ping" }
  | { readonly kind: "catalog" }
  | { readonly kind: "blob"; readonly name: string; readonly digest: Digest }
  | { readonly kind: "uploads"; readonly name: string }
  | { readonly kind: "upload"; readonly name: string; readonly session: string }
  | { readonly kind: "manifest"; readonly name: string; readonly target: ManifestTarget }
  | { readonly kind: "tags"; readonly name: string }
  | { readonly kind: "referrers"; readonly name: string; readonly digest: Digest };

/** How a manifest is asked for. */
export type ManifestTarget = { readonly tag: string } | { readonly digest: Digest };

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const MAX_NAME = 255;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const SESSION = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
// The last keyword wins: names may themselves hold "blobs" or "manifests". Greedy on purpose, and linear: no nested repeats.
const PATH =
  /^\/v2\/(.+)\/(?:(blobs\/uploads)\/?([^/]*)|(blobs|manifests|referrers)\/([^/]+)|(tags\/list))$/;

/** Reads a decoded path. What is asked for under a tag that cannot be is not there. @throws Fault for names, tags and digests that break the grammar, and for unknown paths. */
export function parseRoute(path: string, method: string): Route {
  if (path === "/v2" || path === "/v2/") return { kind: "ping" };
  if (path === "/v2/_catalog") return { kind: "catalog" };
  const [, rawName, uploads, session, kind, reference] = PATH.exec(path) ?? [];
  if (rawName === undefined)
    throw new Fault(404, "UNSUPPORTED", { message: `no such endpoint: "${path}"` });
  const name = parseName(rawName);
  if (uploads !== undefined)
    return session === undefined || session === ""
      ? { kind: "uploads", name }
      : { kind: "upload", name, session: parseSession(session) };
  return kind === "manifests"
    ? { kind: "manifest", name, target: parseTarget(reference ?? "", method) }
    : parseContent(name, kind, reference);
}

function parseContent(
  name: string,
  kind: string | undefined,
  reference: string | undefined,
): Route {
  switch (kind) {
    case undefined:
      return { kind: "tags", name };
    case "blobs":
      return { kind: "blob", name, digest: parseRequestDigest(reference) };
    default:
      return { kind: "referrers", name, digest: parseRequestDigest(reference) };
  }
}

function parseName(name: string): string {
  if (!isName(name))
    throw new Fault(400, "NAME_INVALID", { message: `"${name}" is no repository name` });
  return name;
}

/** True for names that the protocol can carry. */
export function isName(name: string): boolean {
  return name.length <= MAX_NAME && NAME.test(name);
}

/** Checks a tag. @throws Fault `MANIFEST_INVALID`. */
export function parseTag(tag: string): string {
  if (!TAG.test(tag))
    throw new Fault(400, "MANIFEST_INVALID", { message: `"${tag}" is neither a tag nor a digest` });
  return tag;
}

/** Checks a digest. @throws Fault `DIGEST_INVALID`. */
export function parseRequestDigest(text: string | null | undefined): Digest {
  try {
    return parseDigest(text ?? "");
  } catch (error) {
    if (!isToolError(error)) throw error;
    throw new Fault(400, "DIGEST_INVALID", {
      message: `"${text ?? ""}" is no digest that this registry knows`,
      cause: error,
    });
  }
}

function parseTarget(reference: string, method: string): ManifestTarget {
  const isRead = method === "GET" || method === "HEAD";
  if (isRead && !reference.includes(":") && !TAG.test(reference))
    throw new Fault(404, "MANIFEST_UNKNOWN", {
      message: `"${reference}" is neither a tag nor a digest`,
    });
  return reference.includes(":")
    ? { digest: parseRequestDigest(reference) }
    : { tag: parseTag(reference) };
}

function parseSession(session: string): string {
  if (!SESSION.test(session))
    throw new Fault(404, "BLOB_UPLOAD_UNKNOWN", { message: `no such upload: "${session}"` });
  return session;
}
