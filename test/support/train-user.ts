import { chmod, mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { createStore } from "../../src/images/store/index.ts";
import { requireDebianBase, storeImage } from "./debian-base.ts";
import { requireDockerd } from "./dockerd.ts";
import { requirePodman } from "./engines.ts";
import { requireUv } from "./python-env.ts";
import { createUser, type CommandResult, type User } from "./slipway.ts";

/** A user with a Debian base in the store and the means to install wheels. */
export interface TrainUser {
  readonly user: User;
  /** Runs a command; what it said is in the error when it fails. */
  readonly slipway: (
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ) => Promise<CommandResult>;
  readonly write: (files: Readonly<Record<string, string>>) => Promise<void>;
}

/** A user whose store has `store:pybase`, a Debian with these packages. Skips the test where apt or uv cannot be had. */
export async function trainUser(
  t: TestContext,
  include: readonly string[],
): Promise<TrainUser | undefined> {
  const user = await createUser(t);
  const uv = await requireUv(t);
  if (uv === undefined) return undefined;
  await using store = createStore({
    dataDir: join(user.env["XDG_DATA_HOME"] ?? "", "slipway"),
    cacheDir: join(user.env["XDG_CACHE_HOME"] ?? "", "slipway"),
  });
  const base = await requireDebianBase(t, { include, blobs: store });
  const [image] = base?.images ?? [];
  if (image === undefined) return undefined;
  const descriptor = await storeImage(store, image.image, "localhost/unused:latest");
  await store.tag(descriptor, { registry: "store", repository: "pybase", tag: "latest" });
  // Wheels that other tests fetched are not fetched again.
  const reach = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && /^(UV|PIP|SSL|REQUESTS)_|_PROXY$/i.test(name) ? [[name, value]] : [],
    ),
  );
  const common = {
    ...reach,
    PATH: [dirname(uv), user.env["PATH"]].join(delimiter),
    UV_CACHE_DIR:
      process.env["UV_CACHE_DIR"] ??
      join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "uv"),
  };
  return {
    user,
    async slipway(args, env = {}) {
      const result = await user.run(args, { env: { ...common, ...env } });
      if (result.exitCode !== 0)
        throw new Error(
          `slipway ${args.join(" ")}: exit code ${result.exitCode}\n${result.stdout}${result.stderr}`,
        );
      return result;
    },
    async write(files) {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(user.home, path)), { recursive: true });
        await writeFile(join(user.home, path), text);
      }
    },
  };
}

/** Environment with which docker or podman of a command is the test's own. Skips the test where there is none. */
export async function engineEnvironment(
  t: TestContext,
  kind: "docker" | "podman",
  user: User,
): Promise<Readonly<Record<string, string>> | undefined> {
  if (kind === "docker") {
    const dockerd = await requireDockerd(t);
    return dockerd === undefined ? undefined : { DOCKER_HOST: dockerd.host };
  }
  const podman = await requirePodman(t);
  if (podman === undefined) return undefined;
  const bin = join(user.home, "podman-bin");
  await mkdir(bin, { recursive: true });
  await writeFile(
    join(bin, "podman"),
    `#!/bin/sh\nexec '${podman.engine.program ?? "podman"}' ${podman.storageArgs.map((word) => `'${word}'`).join(" ")} "$@"\n`,
  );
  await chmod(join(bin, "podman"), 0o755);
  return { PATH: [bin, user.env["PATH"]].join(delimiter) };
}
