import type { Bytes, CallOptions, FileGuard } from "../../../ground/bytes/index.ts";
import type { TarDevice } from "../../tar/index.ts";

/** Owner, permission bits and extended attributes of a node. */
export interface Attributes {
  /** Set-user, set-group and sticky bits included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly xattrs?: Readonly<Record<string, Uint8Array>> | undefined;
}

/** Where the content of a file is. */
export type FileContent =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** A file of this machine, absolute; refused when it is not as it was. */
  | { readonly kind: "file"; readonly path: string; readonly guard: FileGuard }
  /** The entry of a tar that has this number, counted from 0. */
  | { readonly kind: "tar"; readonly source: TarSource; readonly index: number };

/** A tar that files of a tree come from: a layer's, or an archive's. */
export interface TarSource {
  /** Names the content: equal keys mean equal bytes, also in a later process. */
  readonly key: string;
  /** The tar from its start, uncompressed; a fresh stream per call. */
  open(options?: CallOptions): Bytes;
}

/** A file. Immutable; a change puts another in its place. */
export interface FileNode extends Attributes {
  readonly kind: "file";
  /** Bytes. */
  readonly size: number;
  readonly content: FileContent;
}

/** A symbolic link. `mode` says nothing. */
interface LinkNode extends Attributes {
  readonly kind: "link";
  readonly target: string;
}

/** A pipe or a device. */
interface DeviceNode extends Attributes {
  readonly kind: "device";
  readonly device: TarDevice;
}

/** A folder. Its entries come when they are asked for, once. */
export interface FolderNode extends Attributes {
  readonly kind: "folder";
  /** The same map each time; who owns the tree may change it. */
  entries(): Promise<Map<string, TreeNode>>;
}

/** Anything that has a name in a folder. */
export type TreeNode = FileNode | LinkNode | DeviceNode | FolderNode;

const DEFAULT_MODE = 0o755;

/** A folder whose entries are at hand. */
export function folderNode(
  attributes: Attributes,
  entries: Map<string, TreeNode> = new Map(),
): FolderNode {
  const known = Promise.resolve(entries);
  return { ...attributes, kind: "folder", entries: () => known };
}

/** An empty root, as `FROM scratch` has it. */
export function emptyRoot(): FolderNode {
  return folderNode({ mode: DEFAULT_MODE, uid: 0, gid: 0 });
}

/** The same node with other attributes; a folder keeps its very entries. */
export function withAttributes<N extends TreeNode>(node: N, attributes: Attributes): N {
  return { ...node, ...attributes };
}

/** A copy whose folders can be changed without touching the first. */
export async function cloneFolder(folder: FolderNode): Promise<FolderNode> {
  const copied = new Map<string, TreeNode>();
  for (const [name, node] of await folder.entries())
    copied.set(name, node.kind === "folder" ? await cloneFolder(node) : node);
  return folderNode(folder, copied);
}
