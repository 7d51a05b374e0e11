import { chmod, mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { requireDebianBase, storeImage } from "./debian-base.ts";
import { requireDockerd } from "./dockerd.ts";
import { requirePodman } from "./engines.ts";
import { packPlace, type PackPlace } from "./pack-place.ts";
import { requireUv } from "./python-env.ts";

/**
 * A bare place whose store has `store:pybase`, a Debian with these packages, and with the means to install wheels. Skips the test where
 * apt or uv cannot be had.
 */
export async function debianPlace(
  t: TestContext,
  include: readonly string[],
): Promise<PackPlace | undefined> {
  const place = await packPlace(t, { isBare: true });
  const uv = await requireUv(t);
  if (uv === undefined) return undefined;
  const base = await requireDebianBase(t, { include, blobs: place.store });
  const [image] = base?.images ?? [];
  if (image === undefined) return undefined;
  const descriptor = await storeImage(place.store, image.image, "localhost/unused:latest");
  await place.store.tag(descriptor, { registry: "store", repository: "pybase", tag: "latest" });
  // Wheels that other tests fetched are not fetched again.
  const reach = Object.entries(process.env).filter(([name]) =>
    /^(UV|PIP|SSL|REQUESTS)_|_PROXY$/i.test(name),
  );
  Object.assign(place.env, Object.fromEntries(reach), {
    PATH: [dirname(uv), place.env["PATH"]].join(delimiter),
    UV_CACHE_DIR:
      process.env["UV_CACHE_DIR"] ??
      join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "uv"),
  });
  return place;
}

/** Environment with which docker or podman of a command is the test's own. Skips the test where there is none. */
export async function engineEnvironment(
  t: TestContext,
  kind: "docker" | "podman",
  place: PackPlace,
): Promise<Readonly<Record<string, string>> | undefined> {
  if (kind === "docker") {
    const dockerd = await requireDockerd(t);
    return dockerd === undefined ? undefined : { DOCKER_HOST: dockerd.host };
  }
  const podman = await requirePodman(t);
  if (podman === undefined) return undefined;
  const bin = join(place.root, "podman-bin");
  await mkdir(bin, { recursive: true });
  await writeFile(
    join(bin, "podman"),
    `#!/bin/sh\nexec '${podman.engine.program ?? "podman"}' ${podman.storageArgs.map((word) => `'${word}'`).join(" ")} "$@"\n`,
  );
  await chmod(join(bin, "podman"), 0o755);
  return { PATH: [bin, place.env["PATH"]].join(delimiter) };
}
