import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { isThere } from "./lib/peers.ts";
import { createRepackPlace, describeRepackPeers } from "./lib/repack-place.ts";

// The second packdocker, after an edit of the class, with the model in place. Against what the old tool did in the same folder: write its
// configuration into it, its Dockerfile beside it, build from the folder above, push.
const { values } = parseArgs({
  options: {
    gib: { type: "string", default: "1" },
    rounds: { type: "string", default: "5" },
    slow: { type: "string", default: "2" },
    quick: { type: "boolean", default: false },
  },
});
const gib = values.quick ? 0.0625 : Number(values.gib);
const rounds = values.quick ? 2 : Number(values.rounds);
const slowRounds = values.quick ? 1 : Number(values.slow);

using place = await createRepackPlace();
const { work } = place;
const base = `${place.host}/pybase:latest`;
let edits = 0;

mkdirSync(join(work, "mnist/checkpoint_dir"), { recursive: true });
place.random("mnist/checkpoint_dir/mnist_model.h5", gib * 1024);
writeFileSync(join(work, "mnist/checkpoint_dir/mnist_model.json"), "{}");
writeFileSync(join(work, "uai_inference.Dockerfile"), dockerfile());
edit(0);
await place.slipway("base", "debian", "--include", "python3", "--name", "pybase");
await place.slipway("push", "store:pybase", base);
await place.slipway(...packArguments()); // the first time, for us; the others have theirs below
const contestants: Contestant[] = [ours()];
if (isThere("docker", ["info"]))
  contestants.push(await oldSteps("docker", { build: ["build", "-q"], push: ["push", "-q"] }));
if (isThere("buildah"))
  contestants.push(
    await oldSteps("buildah", {
      build: ["bud", "-q", "--layers", "--tls-verify=false"],
      push: ["push", "-q", "--tls-verify=false"],
    }),
  );
publish("packdocker", describeRepackPeers(), {
  [`again after an edit of the class, ${gib} GiB of model in place`]: await interleave(
    contestants,
    rounds,
  ),
});

function packArguments(): readonly string[] {
  const model = [
    "--pack_file_path",
    "mnist",
    "--main_module",
    "mnist_inference",
    "--main_class",
    "MnistModel",
    "--model_dir",
    "checkpoint_dir",
    "--model_name",
    "mnist_model",
    "--all_one_file",
    "false",
  ];
  return [
    "packdocker",
    "keras",
    ...model,
    "--bimg_name",
    base,
    "--uhub_registry",
    `${place.host}/ours`,
    "--uhub_imagename",
    "mnist:v1",
  ];
}

/** As the old tool wrote it. */
function dockerfile(): string {
  const root = "/ai-ucloud-client-django";
  return `From ${base}\nEXPOSE 8080\nADD ./mnist ${root}/\nENV UAI_SERVICE_CONFIG ${root}/ufile.json\nCMD cd ${root} && gunicorn -c gunicorn.conf.py httpserver.wsgi\n`;
}

function ours(): Contestant {
  return {
    name: "slipway packdocker",
    async run(round) {
      edit(round + 1);
      spawnSync("sync");
      const { ms, peakMib } = await place.slipway(...packArguments());
      return { ms, peakMib };
    },
  };
}

/** Build and push as commands of their own; what they did the first time is done here, before any clock. */
async function oldSteps(
  program: string,
  words: { readonly build: readonly string[]; readonly push: readonly string[] },
): Promise<Contestant> {
  const image = `${place.host}/${program}/mnist:v1`;
  const steps: readonly (readonly string[])[] = [
    [...words.build, "-t", image, "-f", "uai_inference.Dockerfile", "."],
    [...words.push, image],
  ];
  const all = (): Promise<number> => place.steps(program, steps);
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
  const lines = [
    "from uai.arch.keras_model import KerasAiUcloudModel",
    "class MnistModel(KerasAiUcloudModel):",
    "    def load_model(self):",
    "        pass",
    "    def execute(self, data, batch_size):",
    `        return ["round ${round}, edit ${edits}"] * batch_size`,
    "",
  ];
  writeFileSync(join(work, "mnist/mnist_inference.py"), lines.join("\n"));
}
