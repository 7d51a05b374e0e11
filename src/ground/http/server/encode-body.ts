import { constants, deflate, gzip } from "node:zlib";

/** Encodings that answers may have. */
export type BodyEncoding = "gzip" | "deflate";

/**
 * The encoding that an `Accept-Encoding` asks for most, gzip before deflate where both are as welcome; undefined where neither is named,
 * or only with `q=0`. `*` names none.
 * @see RFC 9110, 12.5.3 Accept-Encoding
 */
export function acceptedEncoding(header: string | undefined): BodyEncoding | undefined {
  if (header === undefined || header === "") return undefined;
  const wanted = header.split(",", MAX_PARTS).flatMap(preferenceIn);
  wanted.sort((one, other) => other.quality - one.quality || (one.encoding === "gzip" ? -1 : 1));
  return wanted[0]?.encoding;
}

interface Preference {
  readonly encoding: BodyEncoding;
  /** Above 0. */
  readonly quality: number;
}

function preferenceIn(part: string): readonly Preference[] {
  const [encoding, ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
  if (encoding !== "gzip" && encoding !== "deflate") return [];
  const weight = parameters.find((parameter) => parameter.startsWith("q="));
  const quality = weight === undefined ? 1 : Number(weight.slice(2));
  return quality > 0 ? [{ encoding, quality }] : [];
}

const MAX_PARTS = 32;

/** Packs a body off this thread, fast rather than small. */
export function encodeBody(body: Buffer, encoding: BodyEncoding): Promise<Buffer> {
  const pack = encoding === "gzip" ? gzip : deflate;
  return new Promise((resolve, reject) => {
    pack(body, { level: constants.Z_BEST_SPEED }, (error, packed) =>
      error === null ? resolve(packed) : reject(error),
    );
  });
}
