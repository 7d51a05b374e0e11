import { posix } from "node:path";
import type { FileGuard } from "../../internal/index.ts";
import type { TarEntry } from "../../tar/index.ts";

/** A file and where it goes in the image. */
export interface PlacedFile {
  /** Relative to the image's root. */
  readonly target: string;
  /** Absolute, on this machine. */
  readonly location: string;
  readonly size: number;
  readonly guard: FileGuard;
  readonly isExecutable: boolean;
}

/** Attributes of a folder. */
export interface FolderAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Attributes of the base's own folders, by absolute path; the rest is 0755 of root. */
export type KnownFolders = Readonly<Record<string, FolderAttributes>>;

/** A tar entry with the file that its content comes from. */
export interface PlannedEntry extends TarEntry {
  readonly file?: PlacedFile;
  readonly bytes?: Uint8Array;
}

const PLAIN: FolderAttributes = { mode: 0o755, uid: 0, gid: 0 };
/** User code may write beside itself, also when the platform runs it as any user of group 0. */
const CODE_FOLDER: FolderAttributes = { mode: 0o775, uid: 0, gid: 0 };

/**
 * Entries for the folders around `paths`, each once. A layer's entry overwrites the attributes of the folder below it, so the base's own
 * folders are repeated as they are.
 */
export function folderEntries(paths: readonly string[], known: KnownFolders): readonly PlannedEntry[] {
  const folders = new Set<string>();
  for (const path of paths) for (let folder = posix.dirname(path); folder !== "." && !folders.has(folder); folder = posix.dirname(folder)) folders.add(folder);
  return [...folders].map((folder) => folderEntry(folder, known));
}

/** The entry of one folder. */
export function folderEntry(path: string, known: KnownFolders): PlannedEntry {
  const isCode = path === "app" || path.startsWith("app/");
  const attributes = known[`/${path}`] ?? (isCode ? CODE_FOLDER : PLAIN);
  return { path, type: "directory", size: 0, ...attributes };
}

/** The entry of a file on this machine: 0755 or 0644, of root. */
export function fileEntry(file: PlacedFile): PlannedEntry {
  return { path: file.target, type: "file", mode: file.isExecutable ? 0o755 : 0o644, size: file.size, file };
}

/** The entry of a file that exists in memory only. */
export function bytesEntry(path: string, bytes: Uint8Array, mode = 0o644): PlannedEntry {
  return { path, type: "file", mode, size: bytes.byteLength, bytes };
}
