import { posix } from "node:path";
import type { TarEntry } from "../../tar/index.ts";
import type { FileGuard } from "../../../ground/bytes/index.ts";
import type { BaseFacts } from "../base-image.ts";

/** A file of this machine, and how to notice that it has changed. */
interface FileContent {
  /** Absolute path. */
  readonly source: string;
  readonly guard: FileGuard;
}

/** A file of a layer: bytes at hand, or a file of the project. */
export interface LayerFile {
  /** Path in the image, without a leading slash. */
  readonly path: string;
  readonly isExecutable: boolean;
  readonly from:
    | { readonly kind: "bytes"; readonly bytes: Uint8Array }
    | { readonly kind: "file"; readonly file: FileContent }
    | { readonly kind: "link"; readonly target: string };
}

/** An entry that knows where its content comes from. */
export type LayerEntry = TarEntry & { readonly from?: LayerFile["from"] };

/**
 * Folders of ours that a group-0 user may write to, as arbitrary-user platforms need. The folder of the old inference service is
 * writable with all below it: classes for it were root there, and write where they please. So is the folder that training scripts run in.
 */
const GROUP_WRITABLE = /^(?:app|models|data|ai-ucloud-client-django(?:\/.*)?)$/;

/**
 * Entries of a layer with every folder above its files. Folders that the base has keep the base's own mode and owner, since a layer
 * that repeats one with another mode would change it.
 * @param emptyFolders - folders without files, by path in the image; the service may write there
 */
export function layerEntries(
  files: readonly LayerFile[],
  facts: Pick<BaseFacts, "directories">,
  emptyFolders: readonly string[] = [],
): readonly LayerEntry[] {
  const folders = new Set<string>();
  const empty = new Set(emptyFolders);
  for (const path of [...files.map((file) => file.path), ...emptyFolders]) {
    for (
      let folder = posix.dirname(path);
      folder !== "." && !folders.has(folder);
      folder = posix.dirname(folder)
    )
      folders.add(folder);
  }
  return [
    ...[...folders, ...empty].map((path) => folderEntry(path, facts, empty)),
    ...files.map(fileEntry),
  ];
}

function folderEntry(
  path: string,
  { directories }: Pick<BaseFacts, "directories">,
  empty: ReadonlySet<string>,
): LayerEntry {
  const known = directories[`/${path}`];
  const mode = known?.mode ?? (GROUP_WRITABLE.test(path) || empty.has(path) ? 0o775 : 0o755);
  return { path, type: "directory", mode, size: 0, uid: known?.uid ?? 0, gid: known?.gid ?? 0 };
}

function fileEntry({ path, isExecutable, from }: LayerFile): LayerEntry {
  if (from.kind === "link")
    return { path, type: "symlink", mode: 0o777, size: 0, linkTarget: from.target };
  const size = from.kind === "bytes" ? from.bytes.byteLength : from.file.guard.size;
  return { path, type: "file", mode: isExecutable ? 0o755 : 0o644, size, from };
}
