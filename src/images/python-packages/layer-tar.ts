import { posix } from "node:path";
import type { CallOptions } from "../../ground/bytes/index.ts";
import { writeTar, type TarInput } from "../tar/index.ts";
import { CHUNK_BYTES, readChecked, type LayerFile } from "./layer-content.ts";

/** Folders above this one belong to the base image, which may have given them another mode. */
const OWN_ROOT = "opt/slipway";

/**
 * The tar of a layer: files below `sitePackages` and the folders they need, owned by root, without times.
 * @throws ToolError `FILE_CHANGED` in place of a clean end when an unpacked file is not what its wheel promised.
 */
export function tarOf(
  files: readonly LayerFile[],
  sitePackages: string,
  options: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  const root = sitePackages.replace(/^\/+|\/+$/g, "");
  const reading = { ...options, buffer: Buffer.allocUnsafe(CHUNK_BYTES) };
  const folders = foldersOf(
    files.map(({ path }) => `${root}/${path}`),
    root,
  );
  const entries: TarInput[] = folders.map((path) => ({
    path,
    type: "directory",
    mode: 0o755,
    size: 0,
  }));
  for (const file of files) {
    const { path, size, isExecutable } = file;
    entries.push({
      path: `${root}/${path}`,
      type: "file",
      mode: isExecutable ? 0o755 : 0o644,
      size,
      content: readChecked(file, reading),
    });
  }
  return writeTar(entries, options);
}

/** Folders of the files below the root, and of the root itself what is ours. */
function foldersOf(paths: readonly string[], root: string): readonly string[] {
  const folders = new Set<string>();
  const add = (folder: string): void => {
    const isOurs =
      folder === OWN_ROOT || folder.startsWith(`${OWN_ROOT}/`) || folder.startsWith(`${root}/`);
    if (!isOurs || folders.has(folder)) return;
    folders.add(folder);
    add(posix.dirname(folder));
  };
  for (const path of paths) add(posix.dirname(path));
  return [...folders];
}
