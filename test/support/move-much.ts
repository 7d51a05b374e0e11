import { createHash } from "node:crypto";
import { copy, pushImage } from "../../src/images/copy/index.ts";
import { type Bytes, oneChunk } from "../../src/ground/bytes/index.ts";
import {
  appendLayers,
  digestOf,
  emptyImage,
  MEDIA_TYPES,
  verifyBytes,
  type Descriptor,
  type Digest,
  type IngestSink,
  type Source,
  type UnhashedLayer,
} from "../../src/images/oci/index.ts";
import { readTar, writeTar } from "../../src/images/tar/index.ts";
import { memoryStore } from "./memory-store.ts";

// Run as a program of its own, whose memory then is that of the one thing it does:
// `node move-much.ts copy|push-unknown|tar BYTES` prints how many bytes passed and the most memory there was.

const [scenario = "", count = "0"] = process.argv.slice(2);
const size = Number(count);
const CHUNK = 2 ** 20;
let passed = 0;

/** New buffers for each chunk, as reading a file gives them. */
async function* content(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; at += CHUNK)
    yield Buffer.alloc(Math.min(CHUNK, size - at), at / CHUNK);
}

async function digest(): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of content()) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}

async function drain(bytes: Bytes): Promise<void> {
  for await (const chunk of bytes) passed += chunk.byteLength;
}

/** Takes everything and keeps nothing. */
const sink: IngestSink = {
  has: async () => false,
  put: (target, bytes) => drain(verifyBytes(bytes, target)),
  tag: async () => undefined,
  async ingest(bytes) {
    const hash = createHash("sha256");
    for await (const chunk of bytes) {
      hash.update(chunk);
      passed += chunk.byteLength;
    }
    return `sha256:${hash.digest("hex")}`;
  },
};

async function copyMuch(): Promise<void> {
  const layer: Descriptor = { mediaType: MEDIA_TYPES.layerTar, digest: await digest(), size };
  const store = memoryStore();
  const keep = async (value: unknown, mediaType: string): Promise<Descriptor> => {
    const bytes = Buffer.from(JSON.stringify(value));
    const target = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
    await store.put(target, oneChunk(bytes));
    return target;
  };
  const config = await keep(
    { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [layer.digest] } },
    MEDIA_TYPES.imageConfig,
  );
  const from = await keep(
    { schemaVersion: 2, mediaType: MEDIA_TYPES.imageManifest, config, layers: [layer] },
    MEDIA_TYPES.imageManifest,
  );
  const source: Source = {
    resolve: (reference) => store.resolve(reference),
    open: (target, options) =>
      target.digest === layer.digest
        ? verifyBytes(content(), target, options)
        : store.open(target, options),
  };
  await copy(source, sink, { from });
}

async function pushUnknown(): Promise<void> {
  let known: Digest | undefined;
  const descriptor = async (): Promise<Descriptor> => ({
    mediaType: MEDIA_TYPES.layerTar,
    digest: known ?? (await digest()),
    size,
  });
  const layer: UnhashedLayer = {
    mediaType: MEDIA_TYPES.layerTar,
    size,
    descriptor,
    diffId: async () => (await descriptor()).digest,
    open: content,
    known: async () => (known === undefined ? undefined : descriptor()),
    adopt: async (found) => void (known = found),
  };
  await pushImage(
    appendLayers(emptyImage({ os: "linux", architecture: "amd64" }), [{ layer, history: {} }]),
    sink,
  );
}

async function tarMuch(): Promise<void> {
  for await (const { content: inside } of readTar(
    writeTar([{ path: "weights", type: "file", mode: 0o644, size, content: content() }]),
  ))
    await drain(inside);
}

const SCENARIOS: Readonly<Record<string, () => Promise<void>>> = {
  copy: copyMuch,
  "push-unknown": pushUnknown,
  tar: tarMuch,
};
await SCENARIOS[scenario]?.();
process.stdout.write(
  JSON.stringify({ bytes: passed, maxRssBytes: process.resourceUsage().maxRSS * 1024 }),
);
