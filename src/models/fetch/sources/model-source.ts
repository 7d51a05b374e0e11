import { redactUrl, ToolError } from "../../../ground/errors/index.ts";
import type { FetchEnvironment } from "../contracts.ts";
import { headersFrom, type UrlRequest } from "./url-request.ts";
import { xqueryRequest } from "./xquery.ts";

/** Where a model is to come from. */
export type ModelSource =
  | { readonly kind: "url"; readonly request: UrlRequest }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "image"; readonly name: string }
  | { readonly kind: "s3"; readonly bucket: string; readonly key: string }
  | {
      readonly kind: "hub";
      readonly repository: string;
      readonly revision: string;
      /** A file or folder of the repository; empty for all of it. */
      readonly path: string;
    };

const SCHEMES = "http://, https://, file://, oci://, s3:// or hf://";

/** True for text that names a model by URL, and not a folder. */
export function isModelUri(text: string): boolean {
  return /^(?:https?|file|oci|s3|hf):\/\//.test(text);
}

/**
 * Where the environment says that the model is: `MODEL_URI`, else the variables of the model store (`XQUERY_ADDR`, `MODEL_ID`,
 * `MODEL_VERSION`, `GUID`, or a `MODEL_URL_TEMPLATE` of one's own). Nothing when it says nothing.
 * @throws ToolError `USAGE` for a URI or a variable that cannot be right
 */
export function sourceFromEnvironment(env: FetchEnvironment): ModelSource | undefined {
  const uri = env["MODEL_URI"]?.trim() ?? "";
  if (uri !== "") return parseModelUri(uri, env);
  const request = xqueryRequest(env);
  return request === undefined ? undefined : { kind: "url", request };
}

/** @throws ToolError `USAGE` */
export function parseModelUri(uri: string, env: FetchEnvironment): ModelSource {
  const [, scheme = "", rest = ""] = /^([a-z0-9]+):\/\/(.*)$/s.exec(uri) ?? [];
  const parse = PARSERS.get(scheme);
  if (parse === undefined || rest === "") throw wrongUri(uri, `it is none of ${SCHEMES}`);
  return parse(uri, rest, env);
}

type ParseUri = (uri: string, rest: string, env: FetchEnvironment) => ModelSource;

const parsePlain: ParseUri = (uri, _, env) => ({ kind: "url", request: plainRequest(uri, env) });
const PARSERS: ReadonlyMap<string, ParseUri> = new Map<string, ParseUri>([
  ["http", parsePlain],
  ["https", parsePlain],
  ["file", (uri) => ({ kind: "file", path: localPath(uri) })],
  ["oci", (_, name) => ({ kind: "image", name })],
  ["s3", parseBucket],
  ["hf", parseHub],
]);

function parseBucket(uri: string, rest: string): ModelSource {
  const [, bucket, key = ""] = /^([a-z0-9][a-z0-9._-]{1,62})(?:\/(.*))?$/s.exec(rest) ?? [];
  if (bucket === undefined) throw wrongUri(uri, "it is not s3://BUCKET/KEY");
  return { kind: "s3", bucket, key };
}

function plainRequest(uri: string, env: FetchEnvironment): UrlRequest {
  if (!URL.canParse(uri)) throw wrongUri(uri, "it is no URL");
  const url = new URL(uri);
  const label = redactUrl(url.href);
  return { method: "GET", url, headers: headersFrom(env), label, isStore: false };
}

function localPath(uri: string): string {
  const url = new URL(uri);
  if (url.host !== "" && url.host !== "localhost")
    throw wrongUri(uri, `"${url.host}" is another machine: write file:///PATH`);
  const path = decodeURIComponent(url.pathname);
  if (path.includes("\0")) throw wrongUri(uri, "its path is none");
  return path;
}

/** `OWNER/NAME[@REVISION][/PATH]`; the revision may be a branch, a tag or a commit. */
function parseHub(uri: string, rest: string): ModelSource {
  const [, repository = "", revision = "main", path = ""] =
    /^([\w.-]+\/[\w.-]+?)(?:@([\w.-]+))?(?:\/(.+?))?\/?$/.exec(rest) ?? [];
  const parts = [...repository.split("/"), ...path.split("/")];
  if (repository === "" || parts.includes("..") || revision.includes(".."))
    throw wrongUri(uri, "it is not hf://OWNER/NAME[@REVISION][/PATH]");
  return { kind: "hub", repository, revision, path };
}

function wrongUri(uri: string, why: string): ToolError {
  const shown = uri
    .replace(/\/\/[^/@]*@/, "//")
    .replace(/\?.*$/s, "")
    .slice(0, 200);
  return new ToolError("USAGE", `read the model's place "${shown}": ${why}`, {
    hint: `give ${SCHEMES} with a place behind it`,
  });
}
