import { RegistryError } from "../../../ground/errors/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import { type HttpResponse, isSameOrigin, protocolError } from "../../../ground/http/index.ts";

/** One page of a list and the way to the next. */
export interface Page {
  readonly document: Readonly<Record<string, unknown>>;
  readonly next?: URL;
}

const MAX_PAGE_BYTES = 8 * 2 ** 20;
/** A registry whose pages lead in a circle must not hold us. */
const MAX_PAGES = 10_000;

/** Follows a list page by page. `ask` makes one call; it is given the next page's URL from the second on. */
export async function* readPages(
  ask: (next: URL | undefined) => Promise<HttpResponse>,
  options: CallOptions & { readonly action: string },
): AsyncGenerator<Page, void, undefined> {
  let next: URL | undefined;
  for (let count = 0; count < MAX_PAGES; count += 1) {
    options.signal?.throwIfAborted();
    const page = await readPage(await ask(next), options.action);
    yield page;
    if (page.next === undefined) return;
    next = page.next;
  }
}

/** Reads a JSON object. @throws RegistryError `REGISTRY_PROTOCOL` when it is none. */
async function readPage(response: HttpResponse, action: string): Promise<Page> {
  const bytes = await response.readBytes(MAX_PAGE_BYTES + 1);
  const value = bytes.byteLength > MAX_PAGE_BYTES ? undefined : parseJson(bytes);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw protocolError(response, action, "gave an answer that is no JSON object");
  const next = nextOf(response);
  return {
    document: value as Readonly<Record<string, unknown>>,
    ...(next === undefined ? {} : { next }),
  };
}

/** Texts of a list in a page. @throws RegistryError `REGISTRY_PROTOCOL`. */
export function textsOf(page: Page, key: string, action: string): readonly string[] {
  const list = page.document[key] ?? [];
  if (!Array.isArray(list) || !list.every((entry) => typeof entry === "string"))
    throw new RegistryError("REGISTRY_PROTOCOL", `${action}: "${key}" is not a list of texts`, {
      method: "GET",
      url: "",
    });
  return list;
}

/** `Link: </v2/…>; rel="next"`, to the same registry only. @see RFC 8288 */
function nextOf(response: HttpResponse): URL | undefined {
  for (const value of response.headers("link")) {
    const match = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(value);
    if (match?.[1] === undefined || !URL.canParse(match[1], response.url.href)) continue;
    const url = new URL(match[1], response.url);
    if (isSameOrigin(url, response.url)) return url;
  }
  return undefined;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
