/** Bytes of a file in a tree: literal, or a part of a file that holds many. */
export type Content =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | {
      readonly kind: "range";
      readonly path: string;
      readonly offset: number;
      readonly size: number;
    };

interface Owned {
  /** Package that the entry came with; for what no package ships, the one whose script would have made it. */
  readonly owner: string;
  readonly uid: number;
  readonly gid: number;
}

/** An entry of a file tree. Paths are relative, without a leading or trailing `/`. */
export type TreeNode =
  | (Owned & { readonly type: "directory"; readonly mode: number })
  | (Owned & { readonly type: "file"; readonly mode: number; readonly content: Content })
  | (Owned & { readonly type: "symlink"; readonly target: string });

/** Entry of a package's data archive, as it comes. */
export interface PackageEntry {
  readonly path: string;
  readonly node: TreeNode;
}

/** A Debian package taken apart. Its files' bytes lie in one file that the caller owns. */
export interface OpenedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Fields of the control file by lower-case name; folded lines are joined. */
  readonly fields: ReadonlyMap<string, string>;
  /** The control file as it is. */
  readonly control: string;
  readonly md5sums: string;
  /** Maintainer scripts by name, such as `postinst`. */
  readonly scripts: ReadonlyMap<string, string>;
  readonly entries: readonly PackageEntry[];
}

/** Bytes that a file holds. */
export function contentSize(content: Content): number {
  return content.kind === "bytes" ? content.bytes.byteLength : content.size;
}
