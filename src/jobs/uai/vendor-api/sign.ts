import { createHash } from "node:crypto";

/** Values as requests have them; absent ones are left out before signing. */
export type ParameterValue = string | number | boolean | readonly (string | number)[];
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** A value as it is signed and sent. */
export function parameterText(value: ParameterValue): string {
  return Array.isArray(value) ? value.join(",") : String(value);
}

/**
 * The signature of a request: SHA-1, in lower-case hexadecimal, of every key and its value, by the keys' byte order and without
 * anything between them, followed by the private key.
 * @see docs/spec-map.md, calls of the vendor's API
 */
export function sign(parameters: Parameters, privateKey: string): string {
  const pairs = Object.entries(parameters)
    .filter(([key]) => key !== "Signature")
    .map(([key, value]) => [Buffer.from(key), key + parameterText(value)] as const)
    .sort(([one], [other]) => Buffer.compare(one, other));
  return createHash("sha1")
    .update(pairs.map(([, text]) => text).join("") + privateKey, "utf8")
    .digest("hex");
}
