import { readFile } from "node:fs/promises";
import { ToolError } from "../../ground/errors/index.ts";
import { noFile, writeFileAtomic } from "../../ground/process/index.ts";
import { MEDIA_TYPES } from "../oci/index.ts";
import { type BlobPlace } from "./blobs.ts";
import { DEFAULT_TAG } from "./store-paths.ts";
import { readTags, tagsFingerprint, type StoredImage } from "./tags.ts";

const MAX_ROUNDS = 50;

/**
 * Writes `index.json` from the tags, for other programs; we ourselves never read it. Works without a lock: whoever
 * writes looks afterwards whether a tag has changed since it looked, and writes again if so. So the last index that is
 * written matches the tags. A process that is killed in between leaves an old index, which the next tag mends.
 */
export async function writeIndexFile(place: BlobPlace): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const before = await tagsFingerprint(place);
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.imageIndex,
      manifests: (await readTags(place)).map(entryOf),
    });
    if ((await readFile(place.paths.indexFile, "utf8").catch(noFile)) !== text)
      await writeFileAtomic(place.paths.indexFile, text);
    if ((await tagsFingerprint(place)) === before) return;
  }
}

/** @throws ToolError `STORE_INVALID` when the folder is a layout of another version. */
export async function checkLayout(place: BlobPlace): Promise<void> {
  const text = await readFile(place.paths.layoutFile, "utf8").catch(noFile);
  if (text === undefined || /"imageLayoutVersion"\s*:\s*"1\.0\.0"/.test(text)) return;
  throw new ToolError(
    "STORE_INVALID",
    `open the store "${place.paths.dataDir}": "oci-layout" is damaged or of another version`,
    {
      hint: "update slipway, or move the folder away and pack again",
    },
  );
}

function entryOf(image: StoredImage): unknown {
  const { reference, descriptor } = image;
  const { mediaType, digest, size, artifactType, platform } = descriptor;
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(platform === undefined ? {} : { platform }),
    ...annotationsOf(reference, descriptor),
  };
}

function annotationsOf(
  reference: StoredImage["reference"],
  descriptor: StoredImage["descriptor"],
): object {
  if (reference.tag === undefined && reference.digest !== undefined)
    return descriptor.annotations === undefined ? {} : { annotations: descriptor.annotations };
  const short = `${reference.repository}:${reference.tag ?? DEFAULT_TAG}`;
  const name = reference.registry === "store" ? short : `${reference.registry}/${short}`;
  const full = reference.registry === "store" ? {} : { "io.containerd.image.name": name };
  return {
    annotations: { ...descriptor.annotations, ...full, "org.opencontainers.image.ref.name": name },
  };
}
