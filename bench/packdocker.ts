import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { isThere, startDockerRegistry } from "./lib/peers.ts";
import { timedRun, type TimedRun } from "./lib/timed-run.ts";

// The second packdocker, after an edit of the class, with the model in place. Against what the old tool did in the same folder: write its
// configuration into it, its Dockerfile beside it, build from the folder above, push.
const { values } = parseArgs({ options: { gib: { type: "string", default: "1" }, rounds: { type: "string", default: "5" }, slow: { type: "string", default: "2" }, quick: { type: "boolean", default: false } } });
const gib = values.quick ? 0.0625 : Number(values.gib);
const rounds = values.quick ? 2 : Number(values.rounds);
const slowRounds = values.quick ? 1 : Number(values.slow);

const place = mkdtempSync(join(tmpdir(), "slipway-bench-"));
const work = join(place, "work");
const bin = resolve(import.meta.dirname, "../bin/slipway.js");
const env = { XDG_DATA_HOME: join(place, "data"), XDG_CACHE_HOME: join(place, "cache"), XDG_STATE_HOME: join(place, "state"), BUILDAH_ISOLATION: "chroot", CONTAINERS_STORAGE_CONF: join(place, "storage.conf") };
const registry = await startDockerRegistry(place);
const base = `${registry.host}/pybase:latest`;
let edits = 0;

// What buildah keeps goes away with the rest.
writeFileSync(env.CONTAINERS_STORAGE_CONF, `[storage]\ndriver = "vfs"\ngraphroot = "${place}/containers"\nrunroot = "${place}/containers-run"\n`);
try {
  mkdirSync(join(work, "mnist/checkpoint_dir"), { recursive: true });
  random(join(work, "mnist/checkpoint_dir/mnist_model.h5"), Math.max(1, Math.round(gib * 1024)));
  writeFileSync(join(work, "mnist/checkpoint_dir/mnist_model.json"), "{}");
  writeFileSync(join(work, "uai_inference.Dockerfile"), dockerfile());
  edit(0);
  await slipway("base", "debian", "--include", "python3", "--name", "pybase");
  await slipway("push", "store:pybase", base);
  await slipway(...packArguments()); // the first time, for us; the others have theirs below
  const contestants: Contestant[] = [ours()];
  if (isThere("docker", ["info"])) contestants.push(await oldSteps("docker", { build: ["build", "-q"], push: ["push", "-q"] }));
  if (isThere("buildah")) contestants.push(await oldSteps("buildah", { build: ["bud", "-q", "--layers", "--tls-verify=false"], push: ["push", "-q", "--tls-verify=false"] }));
  publish("packdocker", describeMachine({ docker: ["docker", "--version"], buildah: ["buildah", "--version"], registry: ["docker-registry", "--version"] }), {
    [`again after an edit of the class, ${gib} GiB of model in place`]: await interleave(contestants, rounds),
  });
} finally {
  registry.stop();
  rmSync(place, { recursive: true, force: true });
}

function packArguments(): readonly string[] {
  const model = ["--pack_file_path", "mnist", "--main_module", "mnist_inference", "--main_class", "MnistModel", "--model_dir", "checkpoint_dir", "--model_name", "mnist_model", "--all_one_file", "false"];
  return ["packdocker", "keras", ...model, "--bimg_name", base, "--uhub_registry", `${registry.host}/ours`, "--uhub_imagename", "mnist:v1"];
}

/** As the old tool wrote it. */
function dockerfile(): string {
  const root = "/ai-ucloud-client-django";
  return `From ${base}\nEXPOSE 8080\nADD ./mnist ${root}/\nENV UAI_SERVICE_CONFIG ${root}/ufile.json\nCMD cd ${root} && gunicorn -c gunicorn.conf.py httpserver.wsgi\n`;
}

function slipway(...args: readonly string[]): Promise<TimedRun> {
  return timedRun([process.execPath, bin, ...args], { env, cwd: work });
}

function ours(): Contestant {
  return {
    name: "slipway packdocker",
    async run(round) {
      edit(round + 1);
      spawnSync("sync");
      const { ms, peakMib } = await slipway(...packArguments());
      return { ms, peakMib };
    },
  };
}

/** Build and push as commands of their own; what they did the first time is done here, before any clock. */
async function oldSteps(program: string, words: { readonly build: readonly string[]; readonly push: readonly string[] }): Promise<Contestant> {
  const image = `${registry.host}/${program}/mnist:v1`;
  const steps: readonly (readonly string[])[] = [[...words.build, "-t", image, "-f", "uai_inference.Dockerfile", "."], [...words.push, image]];
  const all = async (): Promise<number> => {
    let ms = 0;
    for (const step of steps) ms += (await timedRun([program, ...step], { env, cwd: work })).ms;
    return ms;
  };
  await all();
  return {
    name: `the old steps with ${program}`,
    maxRounds: slowRounds,
    async run(round) {
      edit(round + 1);
      spawnSync("sync");
      return { ms: await all() };
    },
  };
}

/** One line of the class. */
function edit(round: number): void {
  edits += 1;
  const lines = ["from uai.arch.keras_model import KerasAiUcloudModel", "class MnistModel(KerasAiUcloudModel):", "    def load_model(self):", "        pass", "    def execute(self, data, batch_size):", `        return ["round ${round}, edit ${edits}"] * batch_size`, ""];
  writeFileSync(join(work, "mnist/mnist_inference.py"), lines.join("\n"));
}

function random(path: string, mebibytes: number): void {
  const result = spawnSync("dd", ["if=/dev/urandom", `of=${path}`, "bs=1M", "iflag=fullblock", `count=${mebibytes}`], { stdio: "ignore" });
  if (result.status !== 0) throw new Error(`could not make ${path}`);
}
