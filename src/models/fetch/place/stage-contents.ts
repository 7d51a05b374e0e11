import { createHash, type Hash } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { writeBehind, type Bytes } from "../../../ground/bytes/index.ts";
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
  await mkdir(files, { recursive: true });
  const kinds = new Set<string>();
  const share = createBudget(context.limits);
  const layers = await mapLimited(plan.contents, AT_ONCE, (content, index) => {
    const budget = share();
    return retry(
      async () => {
        budget.release();
        const own = join(folder, `part-${index}`);
        await rm(own, { recursive: true, force: true });
        await mkdir(own);
        return stageContent(content, {
          ...{ own, context, budget, kinds },
          came: progress.slot(index, content.size),
        });
      },
      {
        attempts: ATTEMPTS,
        signal: context.signal,
        isRetryable,
        onRetry: (error) =>
          context.onWarning?.(
            `begun again: ${error instanceof Error ? error.message : String(error)}`,
          ),
      },
    );
  });
  for (const [index, removals] of layers.entries()) {
    await applyRemovals(files, removals);
    await mergeFolder(join(folder, `part-${index}`), files);
  }
  return { folder: files, isUnpacked: kinds.has("archive") };
}

interface Staging {
  /** Folder of one content. */
  readonly own: string;
  readonly context: FetchContext;
  readonly budget: BudgetShare;
  readonly came: ProgressSlot;
  readonly kinds: Set<string>;
}

const NO_REMOVALS: LayerRemovals = { paths: [], opaque: [] };

async function stageContent(content: FetchedContent, staging: Staging): Promise<LayerRemovals> {
  const { context, came, own, kinds, budget } = staging;
  let { name } = content;
  const hash = content.sha256 === undefined ? undefined : createHash("sha256");
  let bytes = 0;
  const stream = tapped(
    content.open({
      ...(context.signal !== undefined && { signal: context.signal }),
      onName: (better) => (name = better),
      onSize: (size) => came.size(size),
    }),
    (chunk) => {
      hash?.update(chunk);
      bytes += chunk.byteLength;
      came.bytes(bytes);
    },
  );
  const { first, content: whole } = await peek(stream, MAGIC_BYTES);
  const kind = archiveKindOf(first);
  const writer = createContentWriter(own, budget);
  const removals = await land({ content, kind, name, first, whole }, { ...staging, writer });
  if (removals.isLeft !== true) checkWhole(content, bytes, hash);
  kinds.add(
    isFile({ content, kind, name }) ? "file" : content.as === "layer" ? "layer" : "archive",
  );
  return removals;
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

async function land(
  arrived: Arrived,
  staging: Staging & { readonly writer: ContentWriter },
): Promise<Landed> {
  const { content, kind, name, whole } = arrived;
  const { writer, context } = staging;
  if (isFile(arrived)) {
    await writer.writeFile(name, whole, context);
    return NO_REMOVALS;
  }
  if (content.as === "layer") {
    const isSorted = content.isSorted === true;
    return unpackLayer(plainTar(kind, whole, context), writer, { context, isSorted });
  }
  if (kind === "zip") {
    await unpackSpooled(whole, staging);
    return NO_REMOVALS;
  }
  if (kind === undefined || !["tar", "gzip", "zstd"].includes(kind)) throw await noArchive(arrived);
  await unpackTar(plainTar(kind, whole, context), writer, context);
  return NO_REMOVALS;
}

function plainTar(kind: ArchiveKind | undefined, whole: Bytes, context: FetchContext): Bytes {
  return kind === "gzip" || kind === "zstd" ? inflate(whole, kind, context) : whole;
}

/** A zip's directory stands at its end, so it has to lie there whole; it goes away when it is unpacked. */
async function unpackSpooled(
  whole: Bytes,
  { own, context, writer }: Staging & { readonly writer: ContentWriter },
): Promise<void> {
  const spool = `${own}.zip`;
  try {
    await using file = await open(spool, "w");
    await writeBehind(file, whole, context);
    await file.close();
    await unpackZip(spool, writer, context);
  } finally {
    await rm(spool, { force: true });
  }
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
