import { createHash } from "node:crypto";
import { mkdir, open, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  guardOf,
  openPlan,
  planOf,
  writeBehind,
  type Bytes,
  type CallOptions,
  type FileGuard,
} from "../../../ground/bytes/index.ts";
import { createTempDir, noFile } from "../../../ground/process/index.ts";
import { readTar } from "../../tar/index.ts";
import type { FileContent, FileNode, TarSource } from "./tree-node.ts";

/** A file of this machine that has the content, and its state. */
interface PlacedFile {
  readonly path: string;
  readonly guard: FileGuard;
}

/** Takes files out of tars into a folder of the cache, where they stay for the next build. */
export interface ExtractedFiles {
  /** Places every content that lies in a tar; each tar is read at most once. @throws what reading the tars throws. */
  place(files: readonly FileNode[], options?: CallOptions): Promise<void>;
  /** Where a content lies, after `place`. */
  find(content: Extract<FileContent, { kind: "tar" }>): PlacedFile;
  /** A file's bytes, whatever its kind of content. */
  open(file: FileNode, options?: CallOptions): AsyncGenerator<Uint8Array>;
}

/** @param folder - absolute; safe to delete between builds */
export function createExtractedFiles(folder: string): ExtractedFiles {
  const placed = new Map<string, PlacedFile>();
  const files: ExtractedFiles = {
    async place(wanted, options = {}) {
      for (const [source, indexes] of bySource(wanted, placed)) {
        const place = join(folder, sourceName(source));
        const missing = await missingIn(place, indexes);
        if (missing.size > 0) await extract(source, { folder, place, indexes: missing }, options);
        for (const index of indexes.keys())
          placed.set(`${source.key} ${index}`, await placedFile(join(place, `${index}`)));
      }
    },
    find({ source, index }) {
      const file = placed.get(`${source.key} ${index}`);
      if (file === undefined) throw new TypeError(`entry ${index} of ${source.key} was not placed`);
      return file;
    },
    async *open(file, options = {}) {
      if (file.content.kind === "bytes") return yield file.content.bytes;
      await files.place([file], options);
      const { path, guard } = file.content.kind === "tar" ? files.find(file.content) : file.content;
      yield* openPlan(planOf([{ kind: "file", path, guard }]), options);
    },
  };
  return files;
}

/** Numbers of entries and their sizes, by the tar they are in. */
function bySource(
  files: readonly FileNode[],
  placed: ReadonlyMap<string, PlacedFile>,
): ReadonlyMap<TarSource, ReadonlyMap<number, number>> {
  const sources = new Map<string, TarSource>();
  const wanted = new Map<TarSource, Map<number, number>>();
  for (const { content, size } of files) {
    if (content.kind !== "tar" || placed.has(`${content.source.key} ${content.index}`)) continue;
    const source = sources.get(content.source.key) ?? content.source;
    sources.set(source.key, source);
    const indexes = wanted.get(source) ?? new Map<number, number>();
    wanted.set(source, indexes.set(content.index, size));
  }
  return wanted;
}

function sourceName({ key }: TarSource): string {
  return createHash("sha256").update(key).digest("hex");
}

async function missingIn(
  place: string,
  indexes: ReadonlyMap<number, number>,
): Promise<ReadonlySet<number>> {
  const missing = new Set<number>();
  for (const [index, size] of indexes) {
    const stats = await stat(join(place, `${index}`)).catch(noFile);
    if (stats?.size !== size) missing.add(index);
  }
  return missing;
}

interface Extraction {
  readonly folder: string;
  readonly place: string;
  readonly indexes: ReadonlySet<number>;
}

/** Files appear whole: each is written elsewhere and moved. */
async function extract(
  source: TarSource,
  { folder, place, indexes }: Extraction,
  options: CallOptions,
): Promise<void> {
  await mkdir(place, { recursive: true });
  await using staging = await createTempDir("extract", folder);
  let left = indexes.size;
  let index = 0;
  for await (const { content } of readTar(source.open(options), {
    ...options,
    clampsPaths: true,
  })) {
    if (indexes.has(index)) {
      await writeFileFrom(join(staging.path, `${index}`), content, options);
      await rename(join(staging.path, `${index}`), join(place, `${index}`));
      left -= 1;
    }
    index += 1;
    if (left === 0) break;
  }
}

async function writeFileFrom(path: string, content: Bytes, options: CallOptions): Promise<void> {
  await using file = await open(path, "wx", 0o600);
  await writeBehind(file, content, options);
}

async function placedFile(path: string): Promise<PlacedFile> {
  return { path, guard: guardOf(await stat(path, { bigint: true })) };
}
