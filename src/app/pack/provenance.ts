import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { noFile } from "../../ground/process/index.ts";
import { hashFile } from "../../ground/bytes/index.ts";
import type { ProjectTree, WalkedFile } from "../../images/pack/index.ts";
import type { Provenance } from "../../jobs/train/index.ts";
import type { Caller } from "../session.ts";

// RUN_FILE_NAME of train, which is not loaded for its name: most projects were not trained by us.
const RECORD = "slipway-run.json";
/** What a person adds to weights that a class of their own loads. */
const CODE = /\.(?:py|js|mjs|cjs|md)$|(?:^|\/)(?:requirements[^/]*\.txt|package(?:-lock)?\.json)$/;

/**
 * Labels that say which training made a model, out of what `slipway train run` left beside it. They hold for the weights
 * that the record names by digest: for others there are none, and a warning.
 * @param modelFiles - paths in the tree that the model is made of; empty where code loads what it finds.
 */
export async function provenanceOf(
  root: string,
  { tree, modelFiles }: { readonly tree: ProjectTree; readonly modelFiles: readonly string[] },
  { emit, signal }: Caller,
): Promise<Readonly<Record<string, string>>> {
  const file = join(root, RECORD);
  const stats = await stat(file).catch(noFile);
  if (stats?.isFile() !== true) return {};
  const { MAX_RUN_FILE_BYTES, parseProvenance } = await import("../../jobs/train/index.ts");
  const record =
    stats.size > MAX_RUN_FILE_BYTES ? undefined : parseProvenance(await readFile(file, "utf8"));
  const weights = tree.files.filter(({ path }) =>
    modelFiles.length > 0 ? modelFiles.includes(path) : !CODE.test(path),
  );
  if (record !== undefined && (await areMadeBy(record, weights, signal))) return record.labels;
  emit({
    kind: "warning",
    text: `"${RECORD}" ${record === undefined ? "is of no training that ended" : "is of other weights than these"}: the image does not say where its model comes from`,
  });
  return {};
}

async function areMadeBy(
  { made }: Provenance,
  weights: readonly WalkedFile[],
  signal: AbortSignal,
): Promise<boolean> {
  for (const { source } of weights) {
    const digest = `sha256:${await hashFile(source, { signal })}` as const;
    if (!made.has(digest)) return false;
  }
  return weights.length > 0;
}
