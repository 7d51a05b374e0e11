const SPECIAL = /[<>&]|\xe2\x80[\xa8\xa9]/;
const EACH_SPECIAL = /[<>&]|\xe2\x80[\xa8\xa9]/g;

const ESCAPES: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\xe2\x80\xa8": "\\u2028",
  "\xe2\x80\xa9": "\\u2029",
};

/** Escapes what HTML or JavaScript could take for its own, as Go's encoder of JSON does. The same JSON, whatever the bytes are. */
export function escapeHtml(body: Buffer): Buffer {
  const text = body.toString("latin1");
  if (!SPECIAL.test(text)) return body;
  return Buffer.from(
    text.replace(EACH_SPECIAL, (found) => ESCAPES[found] ?? found),
    "latin1",
  );
}
