import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { isThere, startDockerRegistry } from "./lib/peers.ts";
import { timedRun, type TimedRun } from "./lib/timed-run.ts";

// After an edit of the training code: both images anew and the GPU one pushed, with the framework's layers in place. Against the old
// tool's steps: pull both bases, build both images from the whole folder, push one.
const { values } = parseArgs({ options: { gib: { type: "string", default: "2" }, rounds: { type: "string", default: "5" }, slow: { type: "string", default: "2" }, data: { type: "string", default: "60" }, quick: { type: "boolean", default: false } } });
const gib = values.quick ? 0.0625 : Number(values.gib);
const rounds = values.quick ? 2 : Number(values.rounds);
const slowRounds = values.quick ? 1 : Number(values.slow);

const place = mkdtempSync(join(tmpdir(), "slipway-bench-"));
const work = join(place, "work");
const bin = resolve(import.meta.dirname, "../bin/slipway.js");
const env = { XDG_DATA_HOME: join(place, "data"), XDG_CACHE_HOME: join(place, "cache"), XDG_STATE_HOME: join(place, "state"), BUILDAH_ISOLATION: "chroot", CONTAINERS_STORAGE_CONF: join(place, "storage.conf") };
const registry = await startDockerRegistry(place);
const base = `${registry.host}/framework:1`;
let edits = 0;

// What buildah keeps goes away with the rest.
writeFileSync(env.CONTAINERS_STORAGE_CONF, `[storage]\ndriver = "vfs"\ngraphroot = "${place}/containers"\nrunroot = "${place}/containers-run"\n`);
try {
  for (const folder of ["code", "data", "framework"]) mkdirSync(join(work, folder), { recursive: true });
  edit(0);
  random(join(work, "data/train.bin"), Math.max(1, Math.round(Number(values.data))));
  for (let part = 0; part < 4; part += 1) random(join(work, "framework", `lib${part}.so`), Math.max(1, Math.round((gib * 1024) / 4)));
  await slipway("base", "debian", "--include", "python3,bash", "--name", "pybase");
  await slipway(...packArguments("framework", { base: "store:pybase", image: "framework", tag: "1", main: "lib0.so" }));
  await slipway(...packArguments("code", { base, image: "ours", tag: "uaitrain", main: "train.py" })); // what the base holds is read once
  for (const name of ["uaitrain-cpu.Dockerfile", "uaitrain.Dockerfile"]) writeFileSync(join(work, name), `FROM ${base}\nADD ./code/ /data/\n`);

  const contestants: Contestant[] = [ours()];
  if (isThere("docker", ["info"])) contestants.push(oldSteps("docker", { pull: ["pull", "-q", base], build: ["build", "-q"], push: ["push", "-q"] }));
  if (isThere("buildah")) contestants.push(oldSteps("buildah", { pull: ["pull", "-q", "--tls-verify=false", base], build: ["bud", "-q", "--layers", "--tls-verify=false"], push: ["push", "-q", "--tls-verify=false"] }));
  publish("train-repack", describeMachine({ docker: ["docker", "--version"], buildah: ["buildah", "--version"], registry: ["docker-registry", "--version"] }), {
    [`both images after a code edit, ${gib} GiB of framework in place`]: await interleave(contestants, rounds),
  });
} finally {
  registry.stop();
  rmSync(place, { recursive: true, force: true });
}

function packArguments(code: string, about: { readonly base: string; readonly image: string; readonly tag: string; readonly main: string }): readonly string[] {
  const account = ["--uhub_registry", registry.host, "--uhub_imagename", about.image, "--uhub_imagetag", about.tag];
  return ["train", "pack", "--framework", "pytorch", "--bimg_name", about.base, "--code_path", code, "--mainfile_path", about.main, ...account, "--test_data_path", "data", "--test_output_path", "output", "--engine", "none"];
}

function slipway(...args: readonly string[]): Promise<TimedRun> {
  return timedRun([process.execPath, bin, ...args], { env, cwd: work });
}

function ours(): Contestant {
  return {
    name: "slipway train pack",
    async run(round) {
      edit(round + 1);
      const { ms, peakMib } = await slipway(...packArguments("code", { base, image: "ours", tag: "uaitrain", main: "train.py" }));
      return { ms, peakMib };
    },
  };
}

/** What the old tool did, command by command; the context is the whole folder, data and all. */
function oldSteps(program: string, words: { readonly pull: readonly string[]; readonly build: readonly string[]; readonly push: readonly string[] }): Contestant {
  return {
    name: `the old steps with ${program}`,
    maxRounds: slowRounds,
    async run(round) {
      edit(round + 1);
      const [cpu, gpu] = [`${program}-cpu:uaitrain`, `${registry.host}/${program}:uaitrain`];
      const steps: readonly (readonly string[])[] = [words.pull, [...words.build, "-t", cpu, "-f", "uaitrain-cpu.Dockerfile", "."], words.pull, [...words.build, "-t", gpu, "-f", "uaitrain.Dockerfile", "."], [...words.push, gpu]];
      let ms = 0;
      for (const step of steps) ms += (await timedRun([program, ...step], { env, cwd: work })).ms;
      return { ms };
    },
  };
}

/** One line of one file. */
function edit(round: number): void {
  edits += 1;
  writeFileSync(join(work, "code/train.py"), `print("round ${round}, edit ${edits}")\n`);
}

function random(path: string, mebibytes: number): void {
  const result = spawnSync("dd", ["if=/dev/urandom", `of=${path}`, "bs=1M", "iflag=fullblock", `count=${mebibytes}`], { stdio: "ignore" });
  if (result.status !== 0) throw new Error(`could not make ${path}`);
}
