import { createLimit, type Bytes, type CallOptions, type Limit } from "../internal/index.ts";
import { hexOf, type Descriptor, type Digest, type IngestSink, type MountSink, type ResumableSink, type Sink } from "../oci/index.ts";
import type { CopyProgress, CopyResult, TransferOptions } from "./contracts.ts";

/** Content that may be opened again, from any offset. */
export interface Content {
  readonly descriptor: Descriptor;
  readonly label?: string | undefined;
  open(offset: number, options?: CallOptions): Bytes;
}

/** One run of `copy` or `pushImage`: what is limited, counted and told lives here. */
export interface Transfer {
  /** Brings a blob to the sink by the cheapest way. The same digest is brought once. */
  bring(content: Content): Promise<void>;
  /** Sends content of unknown digest in one pass. @returns its digest. */
  ingest(sink: IngestSink, content: { readonly size: number; readonly label: string; open(options?: CallOptions): Bytes }): Promise<Digest>;
  result(descriptor: Descriptor): CopyResult;
}

const DEFAULT_CONCURRENCY = 4;

export function createTransfer(sink: Sink, options: TransferOptions): Transfer {
  const counts = { bytesUploaded: 0, bytesMounted: 0, bytesSkipped: 0, blobsUploaded: 0, blobsMounted: 0, blobsSkipped: 0 };
  const limit: Limit = createLimit(options.concurrency ?? DEFAULT_CONCURRENCY);
  const brought = new Map<Digest, Promise<void>>();
  let ingested = 0;
  const tell = (progress: Omit<CopyProgress, "kind">): void => options.onProgress?.({ kind: "blob", ...progress });

  const bringOnce = async (content: Content): Promise<void> => {
    const { descriptor } = content;
    const about = { id: descriptor.digest, label: content.label ?? hexOf(descriptor.digest).slice(0, 12), size: descriptor.size };
    if (await sink.has(descriptor, options)) {
      counts.blobsSkipped += 1;
      counts.bytesSkipped += descriptor.size;
      return tell({ ...about, state: "skipped", bytes: 0 });
    }
    if (await mounted(sink, descriptor, options)) {
      counts.blobsMounted += 1;
      counts.bytesMounted += descriptor.size;
      return tell({ ...about, state: "mounted", bytes: 0 });
    }
    tell({ ...about, state: "start", bytes: 0 });
    const told = (offset: number, bytes: Bytes): Bytes => watch(bytes, offset, (done) => tell({ ...about, state: "progress", bytes: done }));
    if (isResumable(sink)) await sink.putFrom(descriptor, (offset) => told(offset, content.open(offset, options)), options);
    else await sink.put(descriptor, told(0, content.open(0, options)), options);
    counts.blobsUploaded += 1;
    counts.bytesUploaded += descriptor.size;
    tell({ ...about, state: "done", bytes: descriptor.size });
  };

  return {
    bring(content) {
      const known = brought.get(content.descriptor.digest);
      if (known !== undefined) return known;
      const bringing = limit(() => bringOnce(content));
      brought.set(content.descriptor.digest, bringing);
      return bringing;
    },
    ingest(ingestSink, content) {
      const { size, label } = content;
      const about = { id: `new-${(ingested += 1)}`, label, size };
      return limit(async () => {
        tell({ ...about, state: "start", bytes: 0 });
        const digest = await ingestSink.ingest(watch(content.open(options), 0, (bytes) => tell({ ...about, state: "progress", bytes })), size, options);
        counts.blobsUploaded += 1;
        counts.bytesUploaded += size;
        tell({ ...about, state: "done", bytes: size });
        return digest;
      });
    },
    result: (descriptor) => ({ descriptor, ...counts }),
  };
}

/** True for a sink that takes content of unknown digest. */
export function isIngest(sink: Sink): sink is IngestSink {
  return "ingest" in sink;
}

/** `bytes` without the first `offset` ones. */
export async function* skipBytes(bytes: Bytes, offset: number): AsyncGenerator<Uint8Array> {
  let left = offset;
  for await (const chunk of bytes) {
    if (left < chunk.byteLength) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.byteLength);
  }
}


async function mounted(sink: Sink, target: Descriptor, options: TransferOptions): Promise<boolean> {
  if (!isMount(sink)) return false;
  for (const from of options.mountFrom ?? []) if (await sink.mount(target, from, options)) return true;
  return false;
}

async function* watch(bytes: Bytes, offset: number, told: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let done = offset;
  for await (const chunk of bytes) {
    yield chunk;
    done += chunk.byteLength;
    told(done);
  }
}

function isMount(sink: Sink): sink is MountSink {
  return "mount" in sink;
}

function isResumable(sink: Sink): sink is ResumableSink {
  return "putFrom" in sink;
}

