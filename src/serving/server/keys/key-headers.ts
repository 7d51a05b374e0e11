/** Headers of a request, names in lower case, as HTTP/1 and HTTP/2 have them. */
export type KeyHeaders = Record<string, string | readonly string[] | undefined>;

const BEARER = /^bearer +(\S+) *$/i;

/**
 * The key that a request shows: `Authorization: Bearer KEY`, else `X-API-Key`. It is taken out of the headers, so that neither user code nor a
 * log sees it; an `Authorization` of another scheme stays, since it is not for us.
 */
export function takeKey(headers: KeyHeaders): string | undefined {
  const { authorization, "x-api-key": own } = headers;
  const bearer = typeof authorization === "string" ? BEARER.exec(authorization)?.[1] : undefined;
  if (bearer !== undefined) delete headers["authorization"];
  delete headers["x-api-key"];
  return bearer ?? (typeof own === "string" ? own.trim() : undefined);
}
