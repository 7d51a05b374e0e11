import { lstat, mkdir, readlink, rm } from "node:fs/promises";
import { join, posix } from "node:path";
import { noFile } from "../../../ground/process/index.ts";
import { ContentError } from "../../../ground/errors/index.ts";

/** Paths of an unpacked image are relative to its root, parts joined by `/`; the root itself is the empty text. */
export type RootPath = string;

const MAX_LINKS = 40;

/**
 * Finds the real folder of a path in an unpacked image, with links read as if the root were `/`, and makes what is
 * missing. What stands in the way and is no folder is removed, as a layer on top would hide it.
 * @throws ContentError `ARCHIVE_INVALID` for too many links.
 */
export async function makeParent(root: string, path: RootPath): Promise<RootPath> {
  return walk(root, posix.dirname(path), async (place) => {
    await rm(join(root, place), { force: true });
    await mkdir(join(root, place), { mode: 0o755 });
  });
}

/** Where an existing path really lies, links in its folders followed inside the root, its last part not. `undefined` when a folder of it is missing. */
export async function findInRoot(root: string, path: RootPath): Promise<RootPath | undefined> {
  const parent = await walk(root, posix.dirname(path), () =>
    Promise.reject(new MissingFolder()),
  ).catch((error: unknown) => {
    if (error instanceof MissingFolder) return undefined;
    throw error;
  });
  return parent === undefined ? undefined : posix.join(parent, posix.basename(path));
}

/** As `findInRoot`, with a link in the last part followed too. */
export async function followInRoot(root: string, path: RootPath): Promise<RootPath | undefined> {
  let current: RootPath | undefined = path;
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const place: RootPath | undefined = await findInRoot(root, current);
    if (place === undefined) return undefined;
    const stats = await lstat(join(root, place)).catch(noFile);
    if (stats === undefined || !stats.isSymbolicLink())
      return stats === undefined ? undefined : place;
    current = targetInRoot(posix.dirname(place), await readlink(join(root, place)));
  }
  return undefined;
}

/** A link's target as a path of the root; `..` above the root stays at the root, as it does for a container. */
function targetInRoot(folder: RootPath, target: string): RootPath {
  return posix.resolve("/", folder, target).slice(1);
}

/** A link's text that means the same without a container: always relative, never out of the root. */
export function relativeTarget(folder: RootPath, target: string): string {
  const text = posix.relative(
    posix.join("/", folder),
    posix.join("/", targetInRoot(folder, target)),
  );
  return text === "" ? "." : text;
}

class MissingFolder extends Error {}

async function walk(
  root: string,
  folder: RootPath,
  make: (place: RootPath) => Promise<void>,
): Promise<RootPath> {
  let parts = partsOf(folder);
  let done: readonly string[] = [];
  for (let links = 0; parts.length > 0;) {
    const [next = "", ...rest] = parts;
    const place = [...done, next].join("/");
    const stats = await lstat(join(root, place)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (stats?.isSymbolicLink() === true) {
      if (++links > MAX_LINKS)
        throw new ContentError(
          "ARCHIVE_INVALID",
          `unpack image: "${folder}" lies behind too many links`,
        );
      parts = [
        ...partsOf(targetInRoot(done.join("/"), await readlink(join(root, place)))),
        ...rest,
      ];
      done = [];
      continue;
    }
    if (stats === undefined || !stats.isDirectory()) await make(place);
    done = [...done, next];
    parts = rest;
  }
  return done.join("/");
}

function partsOf(path: RootPath): readonly string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
