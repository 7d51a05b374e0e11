import { posix } from "node:path";
import { ToolError } from "../../../ground/errors/index.ts";
import { type Bytes, type CallOptions } from "../../../ground/bytes/index.ts";
import { runStream } from "../../../ground/process/index.ts";
import { readTar, type TarEntry, type TarOutput } from "../../tar/index.ts";
import type { DebianPackage } from "../contracts.ts";
import type { OpenedPackage, PackageEntry, TreeNode } from "./contracts.ts";
import { parseControl } from "./control.ts";
import { openHeap, type Heap } from "./heap.ts";
import { isTrimmed } from "./trim.ts";

const SCRIPTS = new Set(["preinst", "postinst", "prerm", "postrm", "triggers"]);

export interface OpenPackageOptions extends CallOptions {
  /** The `.deb`. */
  readonly path: string;
  /** File to write the contents to; it must outlive the result. */
  readonly heapPath: string;
}

/**
 * Takes a `.deb` apart with `dpkg-deb`: its control files into memory, its files' bytes into one file. What is
 * trimmed is not kept.
 * @throws ToolError `ARCHIVE_INVALID` when it holds something that a package may not.
 */
export async function openPackage(
  item: DebianPackage,
  options: OpenPackageOptions,
): Promise<OpenedPackage> {
  const [{ control, md5sums, scripts }, entries] = await Promise.all([
    readControl(options),
    readData(item, options),
  ]);
  return {
    name: item.name,
    version: item.version,
    architecture: item.architecture,
    fields: parseControl(control),
    control,
    md5sums,
    scripts,
    entries,
  };
}

async function readControl({ path, signal }: OpenPackageOptions) {
  const files = new Map<string, string>();
  for await (const { entry, content } of readTar(
    runStream(["dpkg-deb", "--ctrl-tarfile", path], { signal }),
  )) {
    if (entry.type === "file")
      files.set(posix.basename(entry.path), await readControlText(content));
  }
  const scripts = new Map([...files].filter(([name]) => SCRIPTS.has(name)));
  return { control: files.get("control") ?? "", md5sums: files.get("md5sums") ?? "", scripts };
}

async function readData(
  item: DebianPackage,
  { path, heapPath, signal }: OpenPackageOptions,
): Promise<readonly PackageEntry[]> {
  await using heap = await openHeap(heapPath);
  const tar = readTar(runStream(["dpkg-deb", "--fsys-tarfile", path], { signal }));
  const entries = await entriesOf(tar, { owner: item.name, heap, isLeftOut: isTrimmed });
  await heap.flush();
  return entries;
}

export interface EntriesOptions {
  readonly owner: string;
  /** Takes the files' bytes; the caller flushes it. */
  readonly heap: Heap;
  readonly isLeftOut: (path: string) => boolean;
}

/** Reads a tar into entries of a tree. @throws ToolError `ARCHIVE_INVALID` for devices and for hard links to what does not come before. */
export async function entriesOf(
  tar: AsyncIterable<TarOutput>,
  { owner, heap, isLeftOut }: EntriesOptions,
): Promise<readonly PackageEntry[]> {
  const entries: PackageEntry[] = [];
  const files = new Map<string, TreeNode>();
  for await (const { entry, content } of tar) {
    const path = cleanPath(entry.path);
    if (path === "" || isLeftOut(path)) continue;
    const node = await nodeOf({ entry, content, heap, owner, files });
    if (node.type === "file") files.set(path, node);
    entries.push({ path, node });
  }
  return entries;
}

interface Incoming {
  readonly entry: TarEntry;
  readonly content: Bytes;
  readonly heap: Heap;
  readonly owner: string;
  readonly files: ReadonlyMap<string, TreeNode>;
}

async function nodeOf({ entry, content, heap, owner, files }: Incoming): Promise<TreeNode> {
  const own = { owner, uid: entry.uid ?? 0, gid: entry.gid ?? 0 };
  const mode = entry.mode & 0o7777;
  switch (entry.type) {
    case "directory":
      return { ...own, type: "directory", mode };
    case "symlink":
      return { ...own, type: "symlink", target: entry.linkTarget ?? "" };
    case "file":
      return { ...own, type: "file", mode, content: await heap.append(content) };
    case "hardlink": {
      const linked = files.get(cleanPath(entry.linkTarget ?? ""));
      if (linked === undefined)
        throw new ToolError(
          "ARCHIVE_INVALID",
          `unpack the package "${owner}": "${entry.path}" is a link to a file that does not come before it`,
        );
      return linked;
    }
    case "device":
      throw new ToolError(
        "ARCHIVE_INVALID",
        `unpack the package "${owner}": "${entry.path}" is neither a file, a folder nor a link`,
      );
  }
}

function cleanPath(path: string): string {
  return posix.normalize(`/${path}`).replace(/^\/+|\/+$/g, "");
}

async function readControlText(content: Bytes): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
