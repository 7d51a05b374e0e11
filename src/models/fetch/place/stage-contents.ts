import { createHash, type Hash } from "node:crypto";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import type { Bytes } from "../../../ground/bytes/index.ts";
import { ContentError, isRetryable, ToolError } from "../../../ground/errors/index.ts";
import { mapLimited, noFile, retry } from "../../../ground/process/index.ts";
import {
  archiveKindOf,
  isPackedModel,
  MAGIC_BYTES,
  promisesArchive,
  type ArchiveKind,
} from "../archives/archive-kind.ts";
import { inflate } from "../archives/inflate.ts";
import { peek } from "../archives/peek.ts";
import { unpackLayer, unpackTar, type LayerRemovals } from "../archives/unpack-tar.ts";
import { unpackZip } from "../archives/unpack-zip.ts";
import type { FetchContext, FetchedContent, FetchPlan } from "../contracts.ts";
import {
  createPartRecorder,
  partPlace,
  readBeginning,
  removePart,
  type Beginning,
  type LoggedMember,
  type PartPlace,
  type PartRecorder,
} from "./beginning.ts";
import { createBudget, type BudgetShare } from "./budget.ts";
import { createContentWriter, checkedPath, type ContentWriter } from "./content-writer.ts";

/** Contents of a model that are fetched at the same time. */
const AT_ONCE = 4;
/** How often a content is begun again after the source broke off in a way that cannot be taken up. */
const ATTEMPTS = 3;

/** A model's files in a folder of their own. */
export interface StagedModel {
  /** Absolute; holds the files and nothing else. */
  readonly folder: string;
  /** True when they came out of an archive. */
  readonly isUnpacked: boolean;
}

/**
 * Fetches all contents of a plan into a folder, several at a time. Archives are unpacked as they come; only a zip lies there whole for as
 * long as it is being unpacked.
 * @param folder - absolute, empty, and of this call alone
 * @throws what opening and unpacking the contents throws; ContentError `DIGEST_MISMATCH`, `SIZE_MISMATCH`
 */
export async function stageContents(
  plan: FetchPlan,
  folder: string,
  context: FetchContext,
): Promise<StagedModel> {
  const progress = createProgress(plan, context);
  const files = join(folder, "files");
  await rm(files, { recursive: true, force: true }); // of a try that was ended while it put them together
  await mkdir(files, { recursive: true });
  const kinds = new Set<string>();
  const share = createBudget(context.limits);
  const layers = await mapLimited(plan.contents, AT_ONCE, (content, index) => {
    const place = partPlace(folder, index);
    const staging = {
      place,
      context,
      budget: share(),
      kinds,
      came: progress.slot(index, content.size),
    };
    return retry(() => stageFresh(content, staging), {
      attempts: ATTEMPTS,
      signal: context.signal,
      isRetryable,
      onRetry: (error) =>
        context.onWarning?.(
          `begun again: ${error instanceof Error ? error.message : String(error)}`,
        ),
    });
  });
  for (const [index, removals] of layers.entries()) {
    await applyRemovals(files, removals);
    await mergeFolder(partPlace(folder, index).folder, files);
  }
  return { folder: files, isUnpacked: kinds.has("archive") };
}

interface Staging {
  /** Of one content. */
  readonly place: PartPlace;
  readonly context: FetchContext;
  readonly budget: BudgetShare;
  readonly came: ProgressSlot;
  readonly kinds: Set<string>;
}

const NO_REMOVALS: LayerRemovals = { paths: [], opaque: [] };

/** Goes on with what an earlier try left, and begins anew when that turns out wrong. */
async function stageFresh(content: FetchedContent, staging: Staging): Promise<LayerRemovals> {
  const { place } = staging;
  const beginning = await readBeginning(place, content.sha256 !== undefined);
  try {
    return await stageContent(content, staging, beginning);
  } catch (error) {
    if (beginning === undefined || isRetryable(error)) throw error;
    staging.context.signal?.throwIfAborted();
    await removePart(place);
    return stageContent(content, staging, undefined);
  }
}

async function stageContent(
  content: FetchedContent,
  staging: Staging,
  beginning: Beginning | undefined,
): Promise<LayerRemovals> {
  const { context, came, place, kinds, budget } = staging;
  budget.release();
  await mkdir(place.folder, { recursive: true });
  const recorder = createPartRecorder(place, beginning);
  const hash = content.sha256 === undefined ? undefined : createHash("sha256");
  const about: { name: string; size?: number; validator?: string } = {
    name: beginning?.name ?? content.name,
  };
  let bytes = 0;
  const start = beginning?.length ?? 0;
  const rest = content.open({
    ...(context.signal !== undefined && { signal: context.signal }),
    from: beginning && { position: start, validator: beginning.validator },
    onName: (better) => (about.name = better),
    onValidator: (validator) => (about.validator = validator),
    onSize: (size) => came.size((about.size = size)),
  });
  const stream = tapped(joined(beginning, recorder.tap(rest, start)), (chunk) => {
    hash?.update(chunk);
    bytes += chunk.byteLength;
    came.bytes(bytes);
  });
  const { first, content: whole } = await peek(stream, MAGIC_BYTES);
  const { name, size, validator } = about;
  await recorder.begin(validator === undefined ? undefined : { validator, name, size });
  const kind = archiveKindOf(first);
  const writer = createContentWriter(place.folder, budget, beginning?.kept);
  const removals = await land(
    { content, kind, name, first, whole },
    { ...staging, writer, recorder, isKnown: validator !== undefined || beginning !== undefined },
  );
  if (removals.isLeft !== true) checkWhole(content, bytes, hash);
  kinds.add(landedAs({ content, kind, name }));
  return removals;
}

function landedAs(arrived: Pick<Arrived, "content" | "kind" | "name">): string {
  if (isFile(arrived)) return "file";
  return arrived.content.as === "layer" ? "layer" : "archive";
}

/** What came before and what comes now; a content of which all came is not asked for again. */
async function* joined(beginning: Beginning | undefined, rest: Bytes): AsyncGenerator<Uint8Array> {
  if (beginning !== undefined) yield* beginning.open();
  if (beginning === undefined || beginning.length !== beginning.size) yield* rest;
}

/** What a layer takes away; `isLeft` when it was not read to its end. */
type Landed = LayerRemovals & { readonly isLeft?: boolean };

interface Arrived {
  readonly content: FetchedContent;
  readonly kind: ArchiveKind | undefined;
  readonly name: string;
  readonly first: Uint8Array;
  readonly whole: Bytes;
}

/** True for a content that is a file of the model as it is. */
function isFile({ content, kind, name }: Pick<Arrived, "content" | "kind" | "name">): boolean {
  if (content.as !== "auto") return content.as === "file";
  return kind === undefined
    ? !promisesArchive(name)
    : isPackedModel(name) || !promisesArchive(name);
}

interface Landing extends Staging {
  readonly writer: ContentWriter;
  readonly recorder: PartRecorder;
  /** True where the content can be known again, so that it is worth keeping. */
  readonly isKnown: boolean;
}

async function land(arrived: Arrived, landing: Landing): Promise<Landed> {
  const { content, kind, name, whole } = arrived;
  const { writer, context, recorder } = landing;
  if (isFile(arrived)) {
    recorder.member({ at: 0, size: Number.MAX_SAFE_INTEGER, path: checkedPath(name) });
    await writer.writeFile(name, whole, context);
    return NO_REMOVALS;
  }
  if (kind === "zip" && content.as !== "layer") {
    await unpackSpooled(whole, landing);
    return NO_REMOVALS;
  }
  const isTar = kind !== undefined && ["tar", "gzip", "zstd"].includes(kind);
  if (!isTar && content.as !== "layer") throw await noArchive(arrived);
  const isPacked = kind === "gzip" || kind === "zstd";
  const onMember = isPacked ? undefined : (member: LoggedMember) => recorder.member(member);
  const tar = isPacked
    ? inflate(landing.isKnown ? recorder.spool(whole) : whole, kind, context)
    : whole;
  if (content.as === "layer")
    return unpackLayer(tar, writer, { context, onMember, isSorted: content.isSorted === true });
  await unpackTar(tar, writer, { context, onMember });
  return NO_REMOVALS;
}

/** A zip's directory stands at its end, so it has to lie there whole; it goes away when it is unpacked. */
async function unpackSpooled(
  whole: Bytes,
  { place, context, writer, recorder }: Landing,
): Promise<void> {
  for await (const _chunk of recorder.spool(whole)) context.signal?.throwIfAborted();
  await unpackZip(place.bytes, writer, context);
  await rm(place.bytes, { force: true });
}

async function noArchive({ kind, first, whole, name }: Arrived): Promise<ToolError> {
  await whole[Symbol.asyncIterator]().return?.();
  const wanted = "zip, tar, tar.gz or tar.zst is wanted";
  if (kind !== undefined)
    return new ToolError(
      "UNSUPPORTED",
      `unpack the archive: it is packed with ${kind}, and ${wanted}`,
    );
  const begins = JSON.stringify(Buffer.from(first.subarray(0, 60)).toString("latin1"));
  const called = name === "" ? "" : `"${name}" `;
  const why = first.byteLength === 0 ? "it is empty" : `it begins with ${begins}`;
  return new ToolError(
    "ARCHIVE_INVALID",
    `unpack the archive: ${called}is no archive (${wanted}): ${why}`,
    {
      hint: "check the address and the parameters: the other end may have answered with a message",
    },
  );
}

async function* tapped(
  bytes: Bytes,
  onChunk: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    onChunk(chunk);
    yield chunk;
  }
}

function checkWhole({ size, sha256 }: FetchedContent, bytes: number, hash: Hash | undefined): void {
  if (size !== undefined && size !== bytes)
    throw new ContentError("SIZE_MISMATCH", `it has ${bytes} bytes, and ${size} are wanted`, {
      expected: String(size),
      actual: String(bytes),
    });
  const actual = hash?.digest("hex");
  if (actual === undefined || actual === sha256) return;
  throw new ContentError("DIGEST_MISMATCH", `its sha256 is ${actual}, and ${sha256} is wanted`, {
    expected: sha256 ?? "",
    actual,
  });
}

/** What has come of one content, in its last attempt. */
interface ProgressSlot {
  bytes(count: number): void;
  size(count: number): void;
}

/** Sums the contents up. */
function createProgress(
  { contents }: FetchPlan,
  { onProgress }: FetchContext,
): {
  slot(index: number, size: number | undefined): ProgressSlot;
} {
  const came = contents.map(() => 0);
  const sizes = contents.map(({ size }) => size);
  const tell = (): void => {
    const bytes = came.reduce((sum, count) => sum + count, 0);
    const size = sizes.includes(undefined)
      ? undefined
      : sizes.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    onProgress?.({ bytes, ...(size !== undefined && { size }) });
  };
  return {
    slot: (index, size) => {
      sizes[index] = size;
      return {
        bytes(count) {
          came[index] = count;
          tell();
        },
        size: (count) => void (sizes[index] = count),
      };
    },
  };
}

/** Takes away what an upper layer says is gone. */
async function applyRemovals(files: string, { paths, opaque }: LayerRemovals): Promise<void> {
  for (const path of opaque)
    for (const name of await namesIn(path === "" ? files : join(files, checkedPath(path))))
      await rm(join(files, path, name), { recursive: true, force: true });
  for (const path of paths)
    await rm(join(files, checkedPath(path)), { recursive: true, force: true });
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(noFile)) ?? [];
}

/** Moves what is in one folder into another; files there are replaced. */
async function mergeFolder(from: string, to: string): Promise<void> {
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = posix.join(entry.parentPath.slice(from.length + 1), entry.name);
    const target = join(to, path);
    if (entry.isDirectory()) {
      await mkdir(target, { recursive: true });
      continue;
    }
    await mkdir(dirname(target), { recursive: true });
    await rename(join(from, path), target);
  }
  await rm(from, { recursive: true, force: true });
}
