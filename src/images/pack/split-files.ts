import {
  layerEntries,
  type BaseImage,
  type LayerEntry,
  type LayerFile,
  type PlannedLayer,
  type RecipeStep,
} from "../recipe/index.ts";
import type { WalkedFile } from "./context/walk.ts";

/** A file from this size on is streamed from where it lies, whatever its name. */
export const LARGE_BYTES: number = 8 * 2 ** 20;
/** Large files that get a layer of their own; more are put together. */
const MAX_ALONE = 40;

/**
 * Steps for large files and weights: each large file alone, so that it travels again only when it changes; what is left together.
 * @param folder - where the files go in the image, without a leading slash
 */
export function weightSteps(
  files: readonly WalkedFile[],
  folder: string,
  base: BaseImage,
): readonly RecipeStep[] {
  const alone = largeFiles(files);
  const together = files.filter((file) => !alone.includes(file));
  const groups = [...(together.length === 0 ? [] : [together]), ...alone.map((file) => [file])];
  return groups.map((group) => ({
    kind: "weights",
    role: "model",
    label: group.length === 1 ? (group[0]?.path ?? "model") : `${group.length} model files`,
    entries: layerEntries(
      group.map((file) => imageFile(file, folder)),
      base.facts,
    ),
  }));
}

/** The large files that get a layer of their own. */
export function largeFiles(files: readonly WalkedFile[]): readonly WalkedFile[] {
  return files.filter(({ guard }) => guard.size >= LARGE_BYTES).slice(0, MAX_ALONE);
}

/** A step for small files; none where there is nothing in it. */
export function filesStep(
  label: string,
  role: PlannedLayer["kind"],
  entries: readonly LayerEntry[],
): readonly RecipeStep[] {
  return entries.length === 0 ? [] : [{ kind: "files", role, label, entries }];
}

/** A file of the project as a file of the image. @param folder - without a leading slash */
export function imageFile(file: WalkedFile, folder: string): LayerFile {
  return {
    path: `${folder}/${file.path}`,
    isExecutable: file.isExecutable,
    from: { kind: "file", file },
  };
}

/** A file of the image that the tool writes. @param path - without a leading slash */
export function ownFile(path: string, bytes: Uint8Array): LayerFile {
  return { path, isExecutable: false, from: { kind: "bytes", bytes } };
}
