/** How a content is packed, by its first bytes. */
export type ArchiveKind = "zip" | "tar" | "gzip" | "zstd" | "bzip2" | "xz" | "rar" | "7z";

/** Bytes that tell every kind apart. */
export const MAGIC_BYTES = 512;

const MAGICS: readonly (readonly [ArchiveKind, readonly number[]])[] = [
  ["zip", [0x50, 0x4b, 0x03, 0x04]],
  ["zip", [0x50, 0x4b, 0x05, 0x06]], // one without entries
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["rar", [0x52, 0x61, 0x72, 0x21, 0x1a, 0x07]],
  ["7z", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
];
const USTAR_AT = 257;
const CHECKSUM_AT = 148;

/** The kind of archive that begins with these bytes, or nothing. @param first - `MAGIC_BYTES`, or all there are */
export function archiveKindOf(first: Uint8Array): ArchiveKind | undefined {
  const found = MAGICS.find(([, magic]) => magic.every((byte, at) => first[at] === byte));
  if (found !== undefined) return found[0];
  const isSkippable =
    ((first[0] ?? 0) & 0xf0) === 0x50 &&
    first[1] === 0x2a &&
    first[2] === 0x4d &&
    first[3] === 0x18;
  if (isSkippable) return "zstd";
  return isTarHeader(first) ? "tar" : undefined;
}

/** Old writers leave the word out; the sum of a header is right in all. @see POSIX pax, "ustar Interchange Format" */
function isTarHeader(first: Uint8Array): boolean {
  if (first.byteLength < 512) return false;
  if (Buffer.from(first.subarray(USTAR_AT, USTAR_AT + 5)).toString("latin1") === "ustar")
    return true;
  const stated = Buffer.from(first.subarray(CHECKSUM_AT, CHECKSUM_AT + 8)).toString("latin1");
  const digits = /^ *([0-7]{1,7})[\0 ]/.exec(stated)?.[1];
  if (digits === undefined) return false;
  let sum = 8 * 0x20;
  for (let at = 0; at < 512; at += 1)
    if (at < CHECKSUM_AT || at >= CHECKSUM_AT + 8) sum += first[at] ?? 0;
  return sum === Number.parseInt(digits, 8);
}

/** Names of files that are zip or gzip inside and are a model as they are. */
const PACKED_MODEL =
  /\.(?:keras|pt|pth|pt2|npz|skops|mar|ptl|zip\.pt|pkl\.gz|pickle\.gz|joblib(?:\.gz)?|json\.gz|pmml\.gz|ubj\.gz|txt\.gz)$/i;

/** True for a name under which an archive is one model file, and not what it unpacks to. */
export function isPackedModel(name: string): boolean {
  return PACKED_MODEL.test(name);
}

/** True for a name that promises an archive, and for no name at all. */
export function promisesArchive(name: string): boolean {
  return (
    !name.includes(".") || /\.(?:zip|tar|tgz|tzst|gz|zst|tbz2?|bz2|xz|txz|rar|7z)$/i.test(name)
  );
}
