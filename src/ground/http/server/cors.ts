import type { IncomingHttpHeaders } from "node:http";

const ALLOWED = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";

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
  const asked = headers["access-control-request-headers"];
  const names =
    asked
      ?.split(",")
      .map((name) => name.trim())
      .filter((name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) ?? [];
  return [
    ...own,
    ...(names.length > 0 ? ["Access-Control-Allow-Headers", names.sort().join(", ")] : []),
    "Access-Control-Allow-Methods",
    ALLOWED,
  ];
}
