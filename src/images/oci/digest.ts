import { createHash } from "node:crypto";
import { ToolError } from "../../ground/errors/index.ts";
import type { Digest } from "./descriptor.ts";

const GRAMMAR = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** @throws ToolError `DIGEST_INVALID`. @see image-spec, descriptor.md#digests */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) {
    throw new ToolError(
      "DIGEST_INVALID",
      `parse digest "${text.slice(0, 150)}": it is not "sha256:" and 64 lower-case hex digits, or "sha512:" and 128`,
    );
  }
  return text;
}

/** True for text that `parseDigest` takes. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === "string" && GRAMMAR.test(text);
}

/** The sha256 digest of bytes in memory. */
export function digestOf(bytes: Uint8Array): Digest {
  return digestLike("sha256:", bytes);
}

/** The digest of bytes by the algorithm of another digest, to compare with it. */
export function digestLike(other: string, bytes: Uint8Array): Digest {
  const algorithm = other.startsWith("sha512:") ? "sha512" : "sha256";
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/** A digest without its algorithm. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}
