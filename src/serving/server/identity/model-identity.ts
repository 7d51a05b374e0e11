import type { ModelDescription } from "../../../models/description/index.ts";
import type { ModelIdentity } from "../../plane/index.ts";
import { isSameTree, listTree, treeDigest, type FileTree } from "./tree-digest.ts";

/** So much is hashed before the first answer; more is hashed while the model answers, and told from then on. */
const QUICK_BYTES = 64 * 2 ** 20;
/** Files are kept in memory by their state, so that going back to a model before costs no reading; this many at most. */
const MAX_KNOWN = 10_000;
const known = new Map<string, string>();

/** The files that a model is made of, as they lay there when its loading began. */
export interface ModelSources {
  readonly model: FileTree | undefined;
  readonly code: FileTree | undefined;
}

/** What is told of a loaded model; `current` grows when large files have been read. */
export interface ToldIdentity {
  current: ModelIdentity | undefined;
}

/** Looks at the files of a model, to be called before it is loaded. Files that cannot be looked at are no source. */
export async function modelSources({
  modelPath,
  codePath,
  code,
}: ModelDescription): Promise<ModelSources> {
  const tree = async (path: string | undefined, without?: string): Promise<FileTree | undefined> =>
    path === undefined ? undefined : listTree(path, without).catch(() => undefined); // loading says what is wrong with it
  return {
    model: await tree(modelPath),
    code: code === undefined ? undefined : await tree(codePath, modelPath),
  };
}

/**
 * Which bytes a model was loaded from: the digests of the sources that `before` has seen, if they are still the same after loading. The digest
 * of the image is that of `image`, a reference with a digest.
 */
export async function identifyModel(
  description: ModelDescription,
  before: ModelSources,
  image: string | undefined,
): Promise<ToldIdentity> {
  const after = await modelSources(description);
  const imageDigest = /(sha256:[0-9a-f]{64})$/.exec(image ?? "")?.[1];
  const told: ToldIdentity = {
    current: imageDigest === undefined ? undefined : { image: imageDigest },
  };
  if (known.size > MAX_KNOWN) known.clear();
  const hash = async (part: "model" | "code"): Promise<void> => {
    const [one, other] = [before[part], after[part]];
    if (one === undefined || other === undefined || !isSameTree(one, other)) return;
    const digest = await treeDigest(one, known).catch(() => undefined); // it is gone by now: not known
    if (digest !== undefined) told.current = { ...told.current, [part]: digest };
  };
  for (const part of ["code", "model"] as const) {
    const hashing = hash(part);
    if ((before[part]?.bytes ?? 0) <= QUICK_BYTES) await hashing;
  }
  return told;
}
