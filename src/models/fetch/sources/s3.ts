import { ToolError } from "../../../ground/errors/index.ts";
import { callUrl } from "../../../ground/http/index.ts";
import type { FetchContext, FetchedContent, FetchEnvironment, FetchPlan } from "../contracts.ts";
import { fetchAction, urlContent } from "./url-content.ts";

/** An object of a bucket, or every object below a prefix. */
export interface S3Place {
  readonly bucket: string;
  readonly key: string;
}

interface S3Settings {
  readonly endpoint: URL;
  readonly region: string;
  /** `BUCKET.HOST/KEY` in place of `HOST/BUCKET/KEY`. */
  readonly isVirtualHost: boolean;
  readonly keys?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

const MAX_LIST_BYTES = 16 * 2 ** 20;
/** A signature holds this long: a download that breaks off late can still be taken up again. */
const SIGNED_SECONDS = 43_200;

/**
 * What a bucket has under a key: one object, or all objects below it when it ends in a slash or is no object. The variables are those
 * of the AWS tools: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL_S3`,
 * `AWS_ENDPOINT_URL`. Without keys requests are not signed.
 * @throws RegistryError as `callUrl`; ToolError `REFERENCE_NOT_FOUND`, `USAGE`
 */
export async function planS3(place: S3Place, context: FetchContext): Promise<FetchPlan> {
  const settings = settingsIn(context.environment);
  const label = `s3://${place.bucket}/${place.key}`;
  const action = fetchAction(label);
  const listed = await listObjects(place, settings, context);
  const isObject = listed.find(({ key }) => key === place.key);
  const objects = isObject === undefined ? below(place, listed) : [isObject];
  if (objects.length === 0)
    throw new ToolError("REFERENCE_NOT_FOUND", `${action}: there is no such object`, {
      hint: "check the bucket, the key, and what the credential may list",
    });
  const contents = objects.map((object): FetchedContent => {
    const isOnly = isObject !== undefined;
    return {
      name: isOnly
        ? (object.key.split("/").at(-1) ?? "")
        : object.key.slice(prefixOf(place).length),
      as: isOnly ? "auto" : "file",
      size: object.size,
      sha256: isOnly ? checksum(context.environment) : undefined,
      async *open(options) {
        const url = await signed(objectUrl(place.bucket, object.key, settings), settings);
        yield* urlContent({ url, headers: {}, action }, context, options);
      },
    };
  });
  const versions = objects.map(({ key, etag }) => `${key} ${etag}`).join("\n");
  return { label, action, key: `${settings.endpoint.href} ${label}\n${versions}`, contents };
}

function checksum(env: FetchEnvironment): string | undefined {
  const text = (env["MODEL_SHA256"] ?? "")
    .trim()
    .toLowerCase()
    .replace(/^sha256:/, "");
  return text === "" ? undefined : text;
}

function prefixOf({ key }: S3Place): string {
  return key === "" || key.endsWith("/") ? key : `${key}/`;
}

function below(place: S3Place, objects: readonly S3Object[]): readonly S3Object[] {
  const prefix = prefixOf(place);
  // Some tools make an empty object in place of a folder.
  return objects.filter(({ key }) => key.startsWith(prefix) && !key.endsWith("/"));
}

function settingsIn(env: FetchEnvironment): S3Settings {
  const said = (...names: readonly string[]): string =>
    names.map((name) => env[name]?.trim() ?? "").find((text) => text !== "") ?? "";
  const region = said("AWS_REGION", "AWS_DEFAULT_REGION") || "us-east-1";
  const named = said("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "S3_ENDPOINT");
  const text = named === "" ? `https://s3.${region}.amazonaws.com` : named;
  const withScheme = text.includes("://") ? text : `https://${text}`;
  if (!URL.canParse(withScheme))
    throw new ToolError("USAGE", "read the variable AWS_ENDPOINT_URL: it is no URL");
  const accessKeyId = said("AWS_ACCESS_KEY_ID");
  const secretAccessKey = said("AWS_SECRET_ACCESS_KEY");
  const sessionToken = said("AWS_SESSION_TOKEN");
  const keys = { accessKeyId, secretAccessKey, ...(sessionToken !== "" && { sessionToken }) };
  return {
    endpoint: new URL(withScheme),
    region,
    isVirtualHost: named === "",
    ...(accessKeyId !== "" && { keys }),
  };
}

function objectUrl(bucket: string, key: string, { endpoint, isVirtualHost }: S3Settings): URL {
  const url = new URL(endpoint);
  const path = key.split("/").map(encodeKey).join("/");
  const base = url.pathname.replace(/\/$/, "");
  if (isVirtualHost && !bucket.includes(".")) url.host = `${bucket}.${url.host}`;
  else url.pathname = `${base}/${bucket}`;
  url.pathname = `${url.pathname.replace(/\/$/, "")}/${path}`;
  return url;
}

function encodeKey(part: string): string {
  return encodeURIComponent(part).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The URL with a signature in its query, which also holds for parts of the content. @see AWS Signature Version 4, "Authenticating requests: query parameters" */
async function signed(url: URL, { region, keys }: S3Settings): Promise<URL> {
  if (keys === undefined) return url;
  const { AwsV4Signer } = await import("aws4fetch"); // only when a bucket is asked
  const target = new URL(url);
  target.searchParams.set("X-Amz-Expires", String(SIGNED_SECONDS));
  const signer = new AwsV4Signer({
    ...keys,
    region,
    service: "s3",
    signQuery: true,
    url: target.href,
  });
  return (await signer.sign()).url;
}

interface S3Object {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
}

/** Every object whose key begins with the wanted one, at most as many as a model may have files. */
async function listObjects(
  { bucket, key }: S3Place,
  settings: S3Settings,
  context: FetchContext,
): Promise<readonly S3Object[]> {
  const found: S3Object[] = [];
  for (let token = ""; ;) {
    const url = objectUrl(bucket, "", settings);
    url.searchParams.set("list-type", "2");
    url.searchParams.set("prefix", key);
    if (token !== "") url.searchParams.set("continuation-token", token);
    const page = await readPage(await signed(url, settings), context);
    found.push(...page.objects);
    if (found.length > context.limits.maxFiles)
      throw new ToolError(
        "LIMIT_EXCEEDED",
        `list "s3://${bucket}/${key}": it has more than ${context.limits.maxFiles} objects`,
      );
    if (page.next === "" || page.next === token) return found;
    token = page.next;
  }
}

interface ListPage {
  readonly objects: readonly S3Object[];
  readonly next: string;
}

/** @see Amazon S3 API, ListObjectsV2 */
async function readPage(url: URL, context: FetchContext): Promise<ListPage> {
  const action = `list the bucket at "${url.host}"`;
  const response = await callUrl(context.client, {
    action,
    method: "GET",
    url,
    signal: context.signal,
  });
  const text = Buffer.from(await response.readBytes(MAX_LIST_BYTES)).toString("utf8");
  const { parser } = (await import("sax")).default;
  const objects: S3Object[] = [];
  let next = "";
  let object: { Key: string; Size: string; ETag: string } | undefined;
  let path: string[] = [];
  const reader = parser(true);
  reader.onopentag = ({ name }) => {
    path.push(name);
    if (name === "Contents") object = { Key: "", Size: "", ETag: "" };
  };
  reader.ontext = (part) => {
    const name = path.at(-1) ?? "";
    if (name === "NextContinuationToken") next += part;
    else if (object !== undefined && path.at(-2) === "Contents" && isField(name))
      object[name] += part;
  };
  reader.onclosetag = (name) => {
    path = path.slice(0, -1);
    if (name !== "Contents" || object === undefined) return;
    objects.push({ key: object.Key, size: Number(object.Size), etag: object.ETag });
    object = undefined;
  };
  try {
    reader.write(text).close();
  } catch (error) {
    throw new ToolError("REGISTRY_PROTOCOL", `${action}: the answer is no list of objects`, {
      cause: error,
    });
  }
  return { objects, next };
}

function isField(name: string): name is "Key" | "Size" | "ETag" {
  return name === "Key" || name === "Size" || name === "ETag";
}
