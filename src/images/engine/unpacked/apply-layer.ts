import { chmod, link, lstat, mkdir, open, readdir, rm, symlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { noFile } from "../../../ground/process/index.ts";
import { ContentError } from "../../../ground/errors/index.ts";
import { writeBehind, type Bytes, type CallOptions } from "../../../ground/bytes/index.ts";
import { OPAQUE_WHITEOUT, readTar, WHITEOUT_PREFIX, type TarEntry } from "../../tar/index.ts";
import { findInRoot, makeParent, relativeTarget, type RootPath } from "./root-path.ts";

/**
 * Applies the tar of a layer to a folder that only this process writes to. Owners are ignored,
 * set-user bits are dropped, devices are left out. Links are rewritten to mean the same outside of
 * a container, and no link is followed out of the folder.
 * @throws ContentError `ARCHIVE_INVALID`, `LIMIT_EXCEEDED`.
 * @see image-spec, layer.md#applying-changesets
 */
export async function applyLayer(
  root: string,
  tar: Bytes,
  options: CallOptions = {},
): Promise<void> {
  const layer: AppliedLayer = { root, made: new Set(), folderModes: new Map() };
  for await (const { entry, content } of readTar(tar, options)) {
    options.signal?.throwIfAborted();
    await applyEntry(layer, entry, content);
  }
  // Last, so that a folder without the write bit does not refuse its own content.
  for (const [place, mode] of layer.folderModes) await chmod(join(root, place), mode | 0o700);
}

interface AppliedLayer {
  readonly root: string;
  /** Real paths that this layer made; whiteouts speak of the layers below only. */
  readonly made: Set<RootPath>;
  readonly folderModes: Map<RootPath, number>;
}

async function applyEntry(layer: AppliedLayer, entry: TarEntry, content: Bytes): Promise<void> {
  if (entry.path === "." || entry.type === "device") return;
  const name = posix.basename(entry.path);
  const parent = await makeParent(layer.root, entry.path);
  if (name === OPAQUE_WHITEOUT) return hideAll(layer, parent);
  if (name.startsWith(WHITEOUT_PREFIX))
    return hide(layer, posix.join(parent, name.slice(WHITEOUT_PREFIX.length)));
  const place = posix.join(parent, name);
  if (entry.type === "directory") await makeFolder(layer, place, entry.mode);
  else {
    await clear(layer, place);
    await makeOther(layer, { entry, content, place });
  }
  layer.made.add(place);
}

async function makeFolder(
  { root, folderModes }: AppliedLayer,
  place: RootPath,
  mode: number,
): Promise<void> {
  const stats = await lstat(join(root, place)).catch(noFile);
  if (stats?.isDirectory() !== true) {
    await rm(join(root, place), { force: true });
    await mkdir(join(root, place));
  }
  folderModes.set(place, mode & 0o777);
}

interface Addition {
  readonly entry: TarEntry;
  readonly content: Bytes;
  readonly place: RootPath;
}

async function makeOther(
  { root }: AppliedLayer,
  { entry, content, place }: Addition,
): Promise<void> {
  const path = join(root, place);
  switch (entry.type) {
    case "file": {
      await using file = await open(path, "wx", 0o600);
      await writeBehind(file, content);
      await file.chmod(entry.mode & 0o777);
      return;
    }
    case "symlink":
      await symlink(relativeTarget(posix.dirname(place), entry.linkTarget ?? ""), path);
      return;
    case "hardlink": {
      const target = await findInRoot(root, entry.linkTarget ?? "");
      const stats =
        target === undefined ? undefined : await lstat(join(root, target)).catch(noFile);
      if (target === undefined || stats === undefined || stats.isDirectory()) {
        throw new ContentError(
          "ARCHIVE_INVALID",
          `unpack image: "${entry.path}" is a link to "${entry.linkTarget}", which is not there`,
        );
      }
      await link(join(root, target), path);
      return;
    }
    case "directory":
    case "device":
      return;
  }
}

/** Removes what a new entry replaces; of a folder, the folders' modes are forgotten with it. */
async function clear({ root, folderModes }: AppliedLayer, place: RootPath): Promise<void> {
  await rm(join(root, place), { recursive: true, force: true });
  for (const folder of folderModes.keys())
    if (folder === place || folder.startsWith(`${place}/`)) folderModes.delete(folder);
}

async function hide(layer: AppliedLayer, place: RootPath): Promise<void> {
  const name = posix.basename(place);
  if (name === "" || name === "." || name === "..")
    throw new ContentError("ARCHIVE_INVALID", `unpack image: a whiteout hides "${place}"`);
  if (!hasMade(layer, place)) await clear(layer, place);
  else await hideAll(layer, place);
}

async function hideAll(layer: AppliedLayer, folder: RootPath): Promise<void> {
  const names = (await readdir(join(layer.root, folder)).catch(noFile)) ?? [];
  for (const name of names) {
    const place = posix.join(folder, name);
    if (!hasMade(layer, place)) await clear(layer, place);
    else if ((await lstat(join(layer.root, place))).isDirectory()) await hideAll(layer, place);
  }
}

function hasMade({ made }: AppliedLayer, place: RootPath): boolean {
  return made.has(place) || [...made].some((path) => path.startsWith(`${place}/`));
}
