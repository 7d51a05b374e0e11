import { counted, oneChunk, type Bytes, type CallOptions } from "../../ground/bytes/index.ts";
import { createLimit, type Limit } from "../../ground/process/index.ts";
import {
  hexOf,
  type Descriptor,
  type Digest,
  type IngestSink,
  type MountSink,
  type RawOptions,
  type ReopenableContent,
  type ResumableIngestSink,
  type ResumableSink,
  type Sink,
} from "../oci/index.ts";
import type { CopyProgress, CopyResult, TransferOptions } from "./contracts.ts";

/** A blob that the sink may lack. */
interface BlobRequest {
  readonly descriptor: Descriptor;
  readonly label?: string | undefined;
  /** The content from an offset on, a fresh stream per call. */
  readonly open: (offset: number, options: CallOptions & RawOptions) => Bytes;
}

/** A blob whose digest is found while it is taken. */
interface IngestRequest extends ReopenableContent {
  readonly label: string;
}

type Counts = { -readonly [Key in Exclude<keyof CopyResult, "descriptor">]: CopyResult[Key] };

/** One run of `copy` or `pushImage`: what is limited, counted and told lives here. */
export interface Transfer {
  readonly signal: AbortSignal;
  readonly counts: Readonly<Counts>;
  /** Brings a blob to the sink by the cheapest way. One asked for twice is brought once. */
  blob(request: BlobRequest): Promise<void>;
  /** Sends a blob of unknown digest in one pass. @returns its digest. */
  ingest(sink: IngestSink, request: IngestRequest): Promise<Digest>;
  /** Puts a manifest or index whose children are there, unless it is there itself. */
  manifest(descriptor: Descriptor, bytes: Uint8Array): Promise<void>;
}

interface State {
  readonly sink: Sink;
  readonly options: TransferOptions;
  readonly signal: AbortSignal;
  readonly counts: Counts;
  readonly checks: Limit;
  readonly uploads: Limit;
}

/** Existence checks are cheap for both sides; more of them at once hide the way to a far registry. */
const CHECKS = 16;
const MOUNT_TRIES = 2;
const DEFAULT_CONCURRENCY = 4;
/** A registry's own limit adapts to what it sees; this one must only stand above it. */
const LIMITED_CONCURRENCY = 16;

export function createTransfer(
  sink: Sink,
  options: TransferOptions & { readonly signal: AbortSignal },
): Transfer {
  const {
    signal,
    concurrency = sink.hasOwnLimit === true ? LIMITED_CONCURRENCY : DEFAULT_CONCURRENCY,
  } = options;
  const counts: Counts = {
    blobs: 0,
    blobsUploaded: 0,
    blobsMounted: 0,
    blobsSkipped: 0,
    manifestsUploaded: 0,
    bytesUploaded: 0,
    bytesMounted: 0,
    bytesSkipped: 0,
    bytesSent: 0,
  };
  const state: State = {
    sink,
    options,
    signal,
    counts,
    checks: createLimit(CHECKS),
    uploads: createLimit(concurrency),
  };
  const blobs = new Map<Digest, Promise<void>>();
  const manifests = new Map<Digest, Promise<void>>();
  return {
    signal,
    counts,
    blob: (request) => onceOf(blobs, request.descriptor.digest, () => bring(state, request)),
    ingest: (ingestSink, request) => state.uploads(() => ingest(state, ingestSink, request)),
    manifest: (descriptor, bytes) =>
      onceOf(manifests, descriptor.digest, () => putManifest(state, descriptor, bytes)),
  };
}

function onceOf(
  known: Map<Digest, Promise<void>>,
  digest: Digest,
  start: () => Promise<void>,
): Promise<void> {
  const running = known.get(digest) ?? start();
  known.set(digest, running);
  return running;
}

async function bring(state: State, request: BlobRequest): Promise<void> {
  const { counts } = state;
  const { descriptor } = request;
  const { size, digest } = descriptor;
  const tell = teller(state.options, {
    id: digest,
    label: request.label ?? hexOf(digest).slice(0, 12),
    size,
  });
  counts.blobs += 1;
  if (await has(state, descriptor)) {
    counts.blobsSkipped += 1;
    counts.bytesSkipped += size;
    return tell("skipped", 0);
  }
  await state.uploads(async () => {
    state.signal.throwIfAborted();
    if (await mount(state, descriptor)) {
      counts.blobsMounted += 1;
      counts.bytesMounted += size;
      return tell("mounted", 0);
    }
    tell("start", 0);
    await upload(state, request, tell);
    counts.blobsUploaded += 1;
    counts.bytesUploaded += size;
    tell("done", size);
  });
}

function has({ sink, signal, checks }: State, descriptor: Descriptor): Promise<boolean> {
  return checks(async () => {
    signal.throwIfAborted();
    return sink.has(descriptor, { signal });
  });
}

/** The caller's candidates come before what the sink itself remembers. */
async function mount({ sink, options, signal }: State, descriptor: Descriptor): Promise<boolean> {
  if (!isMountSink(sink)) return false;
  const named = (
    typeof options.mountFrom === "function"
      ? options.mountFrom(descriptor)
      : (options.mountFrom ?? [])
  ).slice(0, MOUNT_TRIES);
  for (const reference of named)
    if (await sink.mount(descriptor, reference, { signal })) return true;
  const known = (await sink.mountSources?.(descriptor, { signal })) ?? [];
  const others = known.filter(
    ({ repository }) => !named.some((reference) => reference.repository === repository),
  );
  for (const reference of others.slice(0, MOUNT_TRIES))
    if (await sink.mount(descriptor, reference, { signal })) return true;
  return false;
}

/** A sink that can take content up again decides by itself when that is worth it; it is also the one that can try again. */
async function upload(
  state: State,
  { descriptor, open }: BlobRequest,
  tell: ReturnType<typeof teller>,
): Promise<void> {
  const { sink, signal } = state;
  const from = (offset: number, options?: RawOptions): Bytes => {
    if (offset > 0) tell("resumed", offset);
    const onBytes = (bytes: number): void => tell("progress", bytes);
    return sent(state, open(offset, { ...options, signal }), { offset, onBytes });
  };
  if (isResumableSink(sink)) await sink.putFrom(descriptor, from, { signal });
  else await sink.put(descriptor, from(0), { signal });
}

async function ingest(state: State, sink: IngestSink, request: IngestRequest): Promise<Digest> {
  const { counts, signal } = state;
  const { size, label } = request;
  signal.throwIfAborted();
  counts.blobs += 1;
  const tell = teller(state.options, { id: `new-${counts.blobs}`, label, size });
  tell("start", 0);
  const open = (offset: number): Bytes =>
    sent(state, request.open(offset, { signal }), {
      offset,
      onBytes: (bytes) => tell("progress", bytes),
    });
  const digest = isResumableIngest(sink)
    ? await sink.ingestFrom({ size, open, key: request.key }, { signal })
    : await sink.ingest(open(0), size, { signal });
  counts.blobsUploaded += 1;
  counts.bytesUploaded += size;
  tell("done", size);
  return digest;
}

async function putManifest(state: State, descriptor: Descriptor, bytes: Uint8Array): Promise<void> {
  const { sink, signal, counts } = state;
  if (await has(state, descriptor)) return;
  await sink.put(descriptor, oneChunk(bytes), { signal });
  counts.manifestsUploaded += 1;
  counts.bytesUploaded += bytes.byteLength;
  counts.bytesSent += bytes.byteLength;
}

/** Content from an offset on; tells how far it is, and counts what was sent. */
function sent(
  { signal, counts }: State,
  content: Bytes,
  { offset, onBytes }: { readonly offset: number; readonly onBytes: (bytes: number) => void },
): Bytes {
  let position = offset;
  return counted(content, (bytes) => {
    signal.throwIfAborted();
    position += bytes;
    counts.bytesSent += bytes;
    onBytes(position);
  });
}

function teller(
  { onProgress }: TransferOptions,
  blob: Pick<CopyProgress, "id" | "label" | "size">,
): (state: CopyProgress["state"], bytes: number) => void {
  return (state, bytes) => onProgress?.({ kind: "blob", ...blob, state, bytes });
}

function isMountSink(sink: Sink): sink is MountSink {
  return "mount" in sink;
}

function isResumableSink(sink: Sink): sink is ResumableSink {
  return "putFrom" in sink;
}

function isResumableIngest(sink: IngestSink): sink is ResumableIngestSink {
  return "ingestFrom" in sink;
}
