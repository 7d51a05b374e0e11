import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { uncompressed, type Image } from "../../src/images/oci/index.ts";
import { requirePeer, withoutPeer } from "./peers.ts";

/** An image's files in a folder that programs can be started in with `chroot`. */
export interface Rootfs {
  readonly path: string;
  /** Runs a program of the image as root inside it. @returns standard output. */
  run(command: readonly [string, ...string[]]): Promise<string>;
}

/** Unpacks an image with GNU tar, as another reader of what we write. Skips the test where there is no root. */
export async function requireRootfs(t: TestContext, image: Image): Promise<Rootfs | undefined> {
  if ((await requirePeer(t, "tar")) === undefined) return undefined;
  if (process.getuid?.() !== 0) return withoutPeer(t, "chroot needs root");
  const folder = await createTempDir("slipway-rootfs");
  t.after(() => folder[Symbol.asyncDispose]());
  for (const layer of await image.layers()) {
    const { mediaType } = await layer.descriptor();
    await run(
      ["tar", "--extract", "--numeric-owner", "--preserve-permissions", "--directory", folder.path],
      { stdin: uncompressed(layer.open(), mediaType) },
    );
  }
  await mkdir(join(folder.path, "dev"), { recursive: true });
  // Programs only open it; a file serves where devices cannot be made.
  await run(["mknod", "-m", "666", join(folder.path, "dev", "null"), "c", "1", "3"], {
    allowFailure: true,
  });
  await (await open(join(folder.path, "dev", "null"), "a")).close();
  await writeFile(join(folder.path, "etc", "hostname"), "rootfs\n");
  return {
    path: folder.path,
    run: async (command) =>
      (
        await run(["chroot", folder.path, ...command], {
          env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8", HOME: "/root" },
        })
      ).stdout.toString("utf8"),
  };
}
