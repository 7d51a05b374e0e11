import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine } from "./machine.ts";
import { startDockerRegistry } from "./peers.ts";
import { BIN, createPlace } from "./place.ts";
import { timedRun, type TimedRun } from "./timed-run.ts";

/** A place with a registry and a folder to work in, for what is done again after an edit. What buildah keeps lies in it too. */
export interface RepackPlace extends Disposable {
  /** The working folder of every command. */
  readonly work: string;
  /** Of the registry. */
  readonly host: string;
  /** Runs one command of the tool, as the user would. */
  slipway(...args: readonly string[]): Promise<TimedRun>;
  /** Runs commands of another program one after the other; their milliseconds in all. */
  steps(program: string, commands: readonly (readonly string[])[]): Promise<number>;
  /** Writes a file of random bytes, one MiB at the least. @param path - below `work`. */
  random(path: string, mebibytes: number): void;
}

export async function createRepackPlace(): Promise<RepackPlace> {
  const place = createPlace();
  const { folder } = place;
  const work = join(folder, "work");
  const storage = join(folder, "storage.conf");
  const env = { ...place.env, BUILDAH_ISOLATION: "chroot", CONTAINERS_STORAGE_CONF: storage };
  mkdirSync(work);
  writeFileSync(
    storage,
    `[storage]\ndriver = "vfs"\ngraphroot = "${folder}/containers"\nrunroot = "${folder}/containers-run"\n`,
  );
  const registry = await startDockerRegistry(folder);
  return {
    work,
    host: registry.host,
    slipway: (...args) => timedRun([process.execPath, BIN, ...args], { env, cwd: work }),
    async steps(program, commands) {
      let ms = 0;
      for (const command of commands)
        ms += (await timedRun([program, ...command], { env, cwd: work })).ms;
      return ms;
    },
    random(path, mebibytes) {
      const count = Math.max(1, Math.round(mebibytes));
      const result = spawnSync(
        "dd",
        ["if=/dev/urandom", `of=${join(work, path)}`, "bs=1M", "iflag=fullblock", `count=${count}`],
        { stdio: "ignore" },
      );
      if (result.status !== 0) throw new Error(`could not make ${path}`);
    },
    [Symbol.dispose]: () => {
      registry.stop();
      place[Symbol.dispose]();
    },
  };
}

/** The machine, with the versions of the peers that such scenarios have. */
export function describeRepackPeers(): ReturnType<typeof describeMachine> {
  return describeMachine({
    docker: ["docker", "--version"],
    buildah: ["buildah", "--version"],
    registry: ["docker-registry", "--version"],
  });
}
