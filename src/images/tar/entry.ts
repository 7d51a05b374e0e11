import type { Bytes } from "../../ground/bytes/index.ts";

/** What an entry is. `device` stands for everything that no image of ours may hold: devices, pipes, sockets. */
export type TarEntryType = "file" | "directory" | "symlink" | "hardlink" | "device";

/** What a `device` entry is, where that is known. Numbers are 0 for a pipe. */
export interface TarDevice {
  readonly kind: "fifo" | "character" | "block";
  readonly major: number;
  readonly minor: number;
}

/** One entry of a tar, without its content. */
export interface TarEntry {
  /** Relative, parts joined by `/`, no `.` or `..` parts, no trailing slash; `.` for the root itself. */
  readonly path: string;
  readonly type: TarEntryType;
  /** Permission bits, set-uid and sticky bits included. */
  readonly mode: number;
  /** Bytes of content; 0 for everything but files. */
  readonly size: number;
  /** Where a symlink points, as written; for a hard link a path like `path`. */
  readonly linkTarget?: string;
  /** Default 0. */
  readonly uid?: number;
  /** Default 0. */
  readonly gid?: number;
  /** Extended attributes by full name, such as `security.capability`. */
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
  /** True for a file that is meant to remove something of a lower layer; without it such a name is not written. Never set by a reader. */
  readonly isWhiteout?: true;
  /** Only of a `device`; one without it is never written. */
  readonly device?: TarDevice;
}

/** An entry to write. A file of more than 0 bytes needs its content, which must have exactly `size` bytes. */
export interface TarInput extends TarEntry {
  readonly content?: Bytes | Uint8Array;
}

/** An entry that was read. `content` must be read before the next entry is asked for; what is left of it is skipped. */
export interface TarOutput {
  readonly entry: TarEntry;
  /** Offset of the content in the tar, in bytes. */
  readonly contentAt: number;
  readonly content: Bytes;
}
