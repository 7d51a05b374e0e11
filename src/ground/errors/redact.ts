const SAFE_QUERY_KEYS = new Set([
  "digest",
  "mount",
  "from",
  "scope",
  "service",
  "n",
  "last",
  "artifactType",
  "tag",
  "ns",
]);

/**
 * Takes secrets out of a URL: user info and every query value whose key is not known to be harmless.
 * Text that is not a URL comes back with control characters removed only.
 */
export function redactUrl(text: string): string {
  const clean = stripControls(text);
  if (!URL.canParse(clean)) return clean;
  const url = new URL(clean);
  url.username = "";
  url.password = "";
  for (const key of [...url.searchParams.keys()]) {
    if (!SAFE_QUERY_KEYS.has(key)) url.searchParams.set(key, "REDACTED");
  }
  return decodeSafe(url.href);
}

/** Replaces C0, C1 and bidirectional control characters, so that foreign text cannot steer a terminal or forge a log line. */
export function stripControls(text: string): string {
  let out = "";
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const isControl =
      code < 0x20 ||
      (code >= 0x7f && code <= 0x9f) ||
      (code >= 0x202a && code <= 0x202e) ||
      (code >= 0x2066 && code <= 0x2069);
    out += isControl ? " " : character;
  }
  return out;
}

/** Cuts text to `maxLength` characters and says so; the default bound is 64 KiB. */
export function bound(text: string, maxLength = 65_536): string {
  return text.length <= maxLength
    ? text
    : `${text.slice(0, maxLength)}… (${text.length - maxLength} more characters)`;
}

/** Undoes `%3A` and `%2F`, which make digests and repository names unreadable. */
function decodeSafe(href: string): string {
  return href.replaceAll("%3A", ":").replaceAll("%2F", "/");
}
