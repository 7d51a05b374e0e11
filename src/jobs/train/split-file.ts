import { open, readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import { type CallOptions } from "../../ground/bytes/index.ts";
import { noFile, writeFileAtomic } from "../../ground/process/index.ts";

/** Size of a part, as the old tool made them. */
export const PART_BYTES: number = 128 * 2 ** 20;
const MAX_PARTS = 9999;
const CHUNK = 2 ** 20;

export interface SplitOptions extends CallOptions {
  /** Default `PART_BYTES`. */
  readonly partBytes?: number | undefined;
}

/**
 * Cuts a file into `NAME-part0001`, `NAME-part0002`, … of the target folder. Parts are whole or not there.
 * @returns their paths.
 * @throws ToolError `PROJECT_NOT_FOUND`, `LIMIT_EXCEEDED`, `DISK_FULL`.
 */
export async function splitFile(
  path: string,
  target: string,
  options: SplitOptions = {},
): Promise<readonly string[]> {
  const { partBytes = PART_BYTES, signal } = options;
  const stats = await stat(path).catch(noFile);
  if (stats?.isFile() !== true)
    throw new ToolError("PROJECT_NOT_FOUND", `split "${path}": there is no such file`);
  const count = Math.ceil(stats.size / partBytes);
  if (count > MAX_PARTS)
    throw new ToolError(
      "LIMIT_EXCEEDED",
      `split "${path}": it would be ${count} parts, and ${MAX_PARTS} is the most`,
      { hint: "make the parts larger with --size" },
    );
  const parts: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const part = join(target, `${basename(path)}-part${String(index + 1).padStart(4, "0")}`);
    await writeFileAtomic(
      part,
      range(path, index * partBytes, Math.min(partBytes, stats.size - index * partBytes)),
      { signal },
    );
    parts.push(part);
  }
  return parts;
}

export interface JoinOptions extends CallOptions {
  /** Leave the parts where they are. Default false: they go once the file is whole. */
  readonly isKeeping?: boolean | undefined;
}

/**
 * Joins the parts of a folder whose names begin with `prefix`, by name, into a file. Nothing is removed before the file is whole.
 * @returns how many there were.
 * @throws ToolError `PROJECT_NOT_FOUND` when there are none or one between others is missing, `DISK_FULL`.
 */
export async function joinParts(
  { folder, prefix }: { readonly folder: string; readonly prefix: string },
  target: string,
  options: JoinOptions = {},
): Promise<number> {
  const names = ((await readdir(folder).catch(noFile)) ?? [])
    .filter((name) => name.startsWith(prefix) && join(folder, name) !== target)
    .sort();
  if (names.length === 0)
    throw new ToolError(
      "PROJECT_NOT_FOUND",
      `join "${prefix}": "${folder}" has no file whose name begins so`,
    );
  const numbers = names.flatMap((name) => /-part(\d{4})$/.exec(name)?.[1] ?? []).map(Number);
  const gap =
    numbers.length === names.length
      ? numbers.findIndex((number, index) => number !== index + 1)
      : -1;
  if (gap >= 0)
    throw new ToolError(
      "PROJECT_NOT_FOUND",
      `join "${prefix}": part ${String(gap + 1).padStart(4, "0")} is not in "${folder}"`,
    );
  await writeFileAtomic(target, all(names.map((name) => join(folder, name))), {
    signal: options.signal,
  });
  if (options.isKeeping !== true) for (const name of names) await rm(join(folder, name));
  return names.length;
}

async function* all(paths: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const path of paths) yield* range(path, 0, (await stat(path)).size);
}

async function* range(path: string, start: number, length: number): AsyncGenerator<Uint8Array> {
  await using file = await open(path);
  for (let at = 0; at < length;) {
    const { buffer, bytesRead } = await file.read(
      Buffer.allocUnsafe(Math.min(CHUNK, length - at)),
      0,
      Math.min(CHUNK, length - at),
      start + at,
    );
    if (bytesRead === 0)
      throw new ToolError("FILE_CHANGED", `read "${path}": it became shorter meanwhile`);
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
