import { createRegistry } from "../../src/images/registry/index.ts";
import { digestOf, MEDIA_TYPES } from "../../src/images/oci/index.ts";
import { randomBytesOf } from "./random-image.ts";

/**
 * A process that pushes one blob, to be killed: `push-child.ts HOST STATE_DIR SEED BYTES [key]`. With `key` the blob's digest is
 * not known before. Prints what the registry client did, as JSON.
 */
const [host = "", stateDir = "", seed = "0", size = "0", key] = process.argv.slice(2);
const bytes = randomBytesOf(Number(seed), Number(size));
await using registry = createRegistry({ host, stateDir });
const repository = registry.repository("team/model");
const open = async function* (offset: number): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < bytes.byteLength; at += 2 ** 20)
    yield bytes.subarray(at, at + 2 ** 20);
};
const digest = digestOf(bytes);
if (key === undefined)
  await repository.putFrom(
    { mediaType: MEDIA_TYPES.layerTar, digest, size: bytes.byteLength },
    open,
  );
const found =
  key === undefined ? digest : await repository.ingestFrom({ size: bytes.byteLength, open, key });
process.stdout.write(`${JSON.stringify({ ...registry.stats(), digest: found })}\n`);
