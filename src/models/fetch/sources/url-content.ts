import type { Bytes } from "../../../ground/bytes/index.ts";
import { stripControls } from "../../../ground/errors/index.ts";
import {
  callUrl,
  downloadRanges,
  validatorOf,
  type HttpResponse,
} from "../../../ground/http/index.ts";
import type { FetchContext, FetchedContent, FetchPlan, OpenOptions } from "../contracts.ts";
import type { UrlRequest } from "./url-request.ts";

/** The one content that a URL gives. `MODEL_SHA256` is its checksum. */
export function planUrl(request: UrlRequest, context: FetchContext): FetchPlan {
  const { url, method, label, isStore } = request;
  // A store's URL says nothing of the content; a plain one ends in its name.
  const name = isStore ? "" : decodeName(url.pathname);
  const action = fetchAction(label);
  const content: FetchedContent = {
    name,
    as: isStore ? "archive" : "auto",
    sha256: checksumIn(context),
    open: (options) =>
      method === "POST"
        ? postContent(request, context, options)
        : urlContent({ url, headers: request.headers, action }, context, options),
  };
  return { label, action, key: `${method} ${withoutSignature(url)}`, contents: [content] };
}

/** What errors of a source begin with. */
export function fetchAction(label: string): string {
  return `fetch the model from "${label}"`;
}

/** The last part of a URL's path; empty when it is none. */
function decodeName(pathname: string): string {
  const last = pathname.split("/").at(-1) ?? "";
  try {
    return plainName(decodeURIComponent(last));
  } catch {
    return plainName(last); // not percent-encoded as UTF-8
  }
}

/** A name that is safe as one of a file; empty for any other. */
function plainName(text: string): string {
  const last = text.split(/[/\\]/).at(-1) ?? "";
  const isPlain = last === stripControls(last) && last.length <= 200;
  return isPlain && last !== "." && last !== ".." ? last : "";
}

/** User info and what signs a request change without the model. */
export function withoutSignature(url: URL): string {
  const plain = new URL(url);
  plain.username = "";
  plain.password = "";
  for (const key of [...plain.searchParams.keys()])
    if (/signature|credential|token|expires|security|x-amz-|x-goog-/i.test(key))
      plain.searchParams.delete(key);
  return plain.href;
}

function checksumIn({ environment }: FetchContext): string | undefined {
  const text = (environment["MODEL_SHA256"] ?? "")
    .trim()
    .toLowerCase()
    .replace(/^sha256:/, "");
  return text === "" ? undefined : text;
}

/** What a GET asks for. */
export interface UrlPlace {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly action: string;
}

/** The content of a URL over several connections, taken up again where it breaks off. */
export function urlContent(place: UrlPlace, context: FetchContext, options: OpenOptions): Bytes {
  const { client, limits } = context;
  return downloadRanges(client, {
    ...place,
    ...credentialsIn(place),
    maxBytes: limits.maxBytes,
    signal: options.signal,
    from: options.from,
    onStart: (response) => tellHead(response, options),
  });
}

/** User info of a URL goes into a header: Node sends none from a URL object that we follow redirects of. */
function credentialsIn({ url, headers }: UrlPlace): Pick<UrlPlace, "url" | "headers"> {
  if (url.username === "" && url.password === "") return { url, headers };
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  return {
    url: bare,
    headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}`, ...headers },
  };
}

/** A POST is sent once for each attempt, and is not taken up again in its middle. */
async function* postContent(
  request: UrlRequest,
  { client }: FetchContext,
  options: OpenOptions,
): AsyncGenerator<Uint8Array> {
  const { url, method, headers, label, body = new Uint8Array(0) } = request;
  const response = await callUrl(client, {
    action: fetchAction(label),
    method,
    url,
    headers: { "accept-encoding": "identity", ...headers },
    body: { kind: "bytes", bytes: body },
    isLong: true,
    signal: options.signal,
  });
  tellHead(response, options);
  yield* response.body();
}

function tellHead(response: HttpResponse, { onName, onSize, onValidator }: OpenOptions): void {
  const size = sizeIn(response);
  if (Number.isSafeInteger(size)) onSize?.(size);
  const validator = validatorOf(response);
  if (validator !== undefined && response.method === "GET") onValidator?.(validator);
  const name = nameIn(response.header("content-disposition") ?? "");
  if (name !== "") onName?.(name);
}

/** Bytes of the whole content; NaN where the answer does not say. */
function sizeIn(response: HttpResponse): number {
  if (response.status !== 206) return Number(response.header("content-length") ?? Number.NaN);
  return Number(/\/(\d+)$/.exec(response.header("content-range") ?? "")?.[1] ?? Number.NaN);
}

/** @see RFC 6266, section 4.1 */
function nameIn(disposition: string): string {
  const [, encoded] = /filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(disposition) ?? [];
  if (encoded !== undefined) return decodeName(encoded);
  const [, quoted, bare = ""] =
    /filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(disposition) ?? [];
  return plainName(quoted?.replaceAll(/\\(.)/g, "$1") ?? bare);
}
