import { createHash } from "node:crypto";
import { ContentError } from "../../src/ground/errors/index.ts";
import {
  formatReference,
  verifyBytes,
  type Descriptor,
  type Digest,
  type IngestSink,
  type MountSink,
  type Reference,
  type ResumableSink,
  type Sink,
  type Source,
} from "../../src/images/oci/index.ts";
import { bytesOf } from "./small-image.ts";

/** A Source and Sink in memory that keeps books on what was asked of it. */
export interface MemoryStore extends Source, IngestSink {
  readonly blobs: Map<Digest, Buffer>;
  readonly tags: Map<string, Descriptor>;
  /** Calls in the order they began: `has sha256:…`, `put …`, `open …`, `tag …`, `ingest`. */
  readonly calls: string[];
}

export function memoryStore(): MemoryStore {
  const blobs = new Map<Digest, Buffer>();
  const tags = new Map<string, Descriptor>();
  const calls: string[] = [];
  const types = new Map<Digest, Descriptor>();
  return {
    blobs,
    tags,
    calls,
    async resolve(reference) {
      calls.push(`resolve ${formatReference(reference)}`);
      const found =
        reference.digest === undefined
          ? tags.get(formatReference(tagged(reference)))
          : types.get(reference.digest);
      if (found === undefined)
        throw new ContentError(
          "REFERENCE_NOT_FOUND",
          `find "${formatReference(reference)}": it is not there`,
        );
      return found;
    },
    async *open(target, options = {}) {
      calls.push(`open ${target.digest}`);
      const bytes = blobs.get(target.digest);
      if (bytes === undefined)
        throw new ContentError("BLOB_NOT_FOUND", `read "${target.digest}": it is not there`);
      yield* verifyBytes(slices(bytes), target, options);
    },
    async has(target) {
      calls.push(`has ${target.digest}`);
      return blobs.get(target.digest)?.byteLength === target.size;
    },
    async put(target, content, options = {}) {
      calls.push(`put ${target.digest}`);
      if (blobs.get(target.digest)?.byteLength === target.size) return;
      const bytes = await bytesOf(verifyBytes(content, target, options));
      blobs.set(target.digest, bytes);
      types.set(target.digest, {
        mediaType: target.mediaType,
        digest: target.digest,
        size: target.size,
      });
    },
    async tag(target, reference) {
      calls.push(`tag ${formatReference(reference)}`);
      if (!blobs.has(target.digest))
        throw new ContentError("BLOB_NOT_FOUND", `tag "${target.digest}": it is not there`);
      tags.set(formatReference(tagged(reference)), target);
    },
    async ingest(content, size) {
      calls.push("ingest");
      const bytes = await bytesOf(content);
      if (bytes.byteLength !== size)
        throw new ContentError(
          "SIZE_MISMATCH",
          `take content: it has ${bytes.byteLength} of ${size} bytes`,
        );
      const digest: Digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
      blobs.set(digest, bytes);
      return digest;
    },
  };
}

/** The same store without the ability to take content of unknown digest. */
export function plainSink(store: MemoryStore): Sink {
  return {
    has: (target, options) => store.has(target, options),
    put: (target, content, options) => store.put(target, content, options),
    tag: (target, reference, options) => store.tag(target, reference, options),
  };
}

/** A sink over `store` that mounts what `others` have, by `host/repository`. */
export function mountingSink(
  store: MemoryStore,
  others: Readonly<Record<string, MemoryStore>>,
): MountSink {
  return {
    ...plainSink(store),
    async mount(target, from) {
      store.calls.push(`mount ${target.digest} ${from.registry}/${from.repository}`);
      const bytes = others[`${from.registry}/${from.repository}`]?.blobs.get(target.digest);
      if (bytes === undefined) return false;
      store.blobs.set(target.digest, bytes);
      return true;
    },
  };
}

/** A sink over `store` that breaks each upload once after `breakAt` bytes and takes it up again there. */
export function resumingSink(store: MemoryStore, breakAt: number): ResumableSink {
  return {
    ...plainSink(store),
    async putFrom(target, open, options) {
      const first: Uint8Array[] = [];
      let got = 0;
      for await (const chunk of open(0)) {
        first.push(chunk.subarray(0, breakAt - got));
        got += Math.min(chunk.byteLength, breakAt - got);
        if (got === breakAt) break;
      }
      const rest = open(got);
      await store.put(
        target,
        (async function* () {
          yield* first;
          yield* rest;
        })(),
        options,
      );
    },
  };
}

function tagged(reference: Reference): Reference {
  const { registry, repository, tag = "latest" } = reference;
  return { registry, repository, tag };
}

async function* slices(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
