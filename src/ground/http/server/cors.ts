import type { IncomingHttpHeaders } from "node:http";

const ALLOWED = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";

/** Fixed answers to browsers, in place of those that follow the request. */
export interface CorsRules {
  /** `*`, or the one origin that is let in. */
  readonly origin: string;
  /** Such as `OPTIONS,POST`. */
  readonly methods: string;
  /** Names with commas between them. Default: those that a browser asks for. */
  readonly headers?: string | undefined;
}

/** Headers that answer an OPTIONS request on a server with rules of its own. */
export function ruledPreflightHeaders(
  headers: IncomingHttpHeaders,
  { methods, headers: allowed }: CorsRules,
): readonly string[] {
  const names = allowed ?? askedNames(headers)?.join(", ") ?? "";
  return [
    ...["Access-Control-Allow-Methods", methods],
    ...(names === "" ? [] : ["Access-Control-Allow-Headers", names]),
  ];
}

/** Names of headers that a browser asks for; those that are no names are left out. */
function askedNames(headers: IncomingHttpHeaders): readonly string[] | undefined {
  return headers["access-control-request-headers"]
    ?.split(",")
    .map((name) => name.trim())
    .filter((name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))
    .sort();
}

/** Headers that answer an OPTIONS request: what the path takes, and leave for scripts of any origin when a browser asks. */
export function preflightHeaders(
  headers: IncomingHttpHeaders,
  methods: readonly string[],
): readonly string[] {
  const own = [
    "Allow",
    [...new Set([...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"])]
      .sort()
      .join(", "),
  ];
  const wanted = headers["access-control-request-method"];
  if (
    headers.origin === undefined ||
    wanted === undefined ||
    !ALLOWED.split(", ").includes(wanted.toUpperCase())
  )
    return own;
  const names = askedNames(headers) ?? [];
  return [
    ...own,
    ...(names.length > 0 ? ["Access-Control-Allow-Headers", names.join(", ")] : []),
    "Access-Control-Allow-Methods",
    ALLOWED,
  ];
}
