import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { hashFile } from "../../ground/bytes/index.ts";
import { noFile, writeFileAtomic } from "../../ground/process/index.ts";
import { parseDigest, type Digest } from "../../images/oci/index.ts";
import { printRunRecord, RUN_FILE_NAME, type RunRecord } from "../../jobs/train/index.ts";
import type { Caller } from "../session.ts";

/** Size in bytes, and time of the last change, of every file below a folder by its path there. */
export type FolderState = ReadonlyMap<string, { readonly size: number; readonly mtimeNs: bigint }>;

/** A file that a run made or changed, by its path in the output folder. */
export interface MadeFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** Lists the regular files below a folder. */
export async function stateOfFolder(root: string): Promise<FolderState> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const found = new Map<string, { readonly size: number; readonly mtimeNs: bigint }>();
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const stats = await stat(path, { bigint: true }).catch(noFile);
    if (stats !== undefined)
      found.set(path.slice(root.length + 1), { size: Number(stats.size), mtimeNs: stats.mtimeNs });
  }
  return found;
}

/** What is new or changed since `before`; the record itself does not count. */
export async function filesMadeSince(
  before: FolderState,
  root: string,
): Promise<readonly MadeFile[]> {
  return [...(await stateOfFolder(root))]
    .filter(
      ([path, { size, mtimeNs }]) =>
        path !== RUN_FILE_NAME &&
        (before.get(path)?.mtimeNs !== mtimeNs || before.get(path)?.size !== size),
    )
    .map(([path, { size }]) => ({ path, size }));
}

/** Digests of files below a folder, by their paths. A file that cannot be read, or that still changes, has none. */
export async function digestsOf(
  files: readonly MadeFile[],
  root: string,
): Promise<Readonly<Record<string, Digest>>> {
  const digests: [string, Digest][] = [];
  for (const { path } of files) {
    const hex = await hashFile(join(root, path)).catch(() => undefined); // removed or unreadable: no digest
    if (hex !== undefined) digests.push([path, parseDigest(`sha256:${hex}`)]);
  }
  return Object.fromEntries(digests);
}

/** Writes the record into the output folder; where that fails the run goes on, and a warning says what is lost. */
export async function keepRecord(
  record: Omit<RunRecord, "schemaVersion">,
  output: string,
  { emit }: Caller,
): Promise<void> {
  await writeFileAtomic(
    join(output, RUN_FILE_NAME),
    printRunRecord({ schemaVersion: 2, ...record }),
  ).catch((error: unknown) => {
    emit({
      kind: "warning",
      text: `"${RUN_FILE_NAME}" could not be written to the output folder (${error instanceof Error ? error.message : String(error)}); what is packed from it will not say where it comes from`,
    });
  });
}
