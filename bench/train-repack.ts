import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { isThere } from "./lib/peers.ts";
import { createRepackPlace, describeRepackPeers } from "./lib/repack-place.ts";

// After an edit of the training code: both images anew and the GPU one pushed, with the framework's layers in place. Against the old
// tool's steps: pull both bases, build both images from the whole folder, push one.
const { values } = parseArgs({
  options: {
    gib: { type: "string", default: "2" },
    rounds: { type: "string", default: "5" },
    slow: { type: "string", default: "2" },
    data: { type: "string", default: "60" },
    quick: { type: "boolean", default: false },
  },
});
const gib = values.quick ? 0.0625 : Number(values.gib);
const rounds = values.quick ? 2 : Number(values.rounds);
const slowRounds = values.quick ? 1 : Number(values.slow);

using place = await createRepackPlace();
const { work } = place;
const base = `${place.host}/framework:1`;
let edits = 0;

for (const folder of ["code", "data", "framework"])
  mkdirSync(join(work, folder), { recursive: true });
edit(0);
place.random("data/train.bin", Number(values.data));
for (let part = 0; part < 4; part += 1) place.random(`framework/lib${part}.so`, (gib * 1024) / 4);
await place.slipway("base", "debian", "--include", "python3,bash", "--name", "pybase");
await place.slipway(
  ...packArguments("framework", {
    base: "store:pybase",
    image: "framework",
    tag: "1",
    main: "lib0.so",
  }),
);
await place.slipway(
  ...packArguments("code", { base, image: "ours", tag: "uaitrain", main: "train.py" }),
); // what the base holds is read once
for (const name of ["uaitrain-cpu.Dockerfile", "uaitrain.Dockerfile"])
  writeFileSync(join(work, name), `FROM ${base}\nADD ./code/ /data/\n`);

const contestants: Contestant[] = [ours()];
if (isThere("docker", ["info"]))
  contestants.push(
    oldSteps("docker", {
      pull: ["pull", "-q", base],
      build: ["build", "-q"],
      push: ["push", "-q"],
    }),
  );
if (isThere("buildah"))
  contestants.push(
    oldSteps("buildah", {
      pull: ["pull", "-q", "--tls-verify=false", base],
      build: ["bud", "-q", "--layers", "--tls-verify=false"],
      push: ["push", "-q", "--tls-verify=false"],
    }),
  );
publish("train-repack", describeRepackPeers(), {
  [`both images after a code edit, ${gib} GiB of framework in place`]: await interleave(
    contestants,
    rounds,
  ),
});

function packArguments(
  code: string,
  about: {
    readonly base: string;
    readonly image: string;
    readonly tag: string;
    readonly main: string;
  },
): readonly string[] {
  const account = [
    "--uhub_registry",
    place.host,
    "--uhub_imagename",
    about.image,
    "--uhub_imagetag",
    about.tag,
  ];
  return [
    "train",
    "pack",
    "--framework",
    "pytorch",
    "--bimg_name",
    about.base,
    "--code_path",
    code,
    "--mainfile_path",
    about.main,
    ...account,
    "--test_data_path",
    "data",
    "--test_output_path",
    "output",
    "--engine",
    "none",
  ];
}

function ours(): Contestant {
  return {
    name: "slipway train pack",
    async run(round) {
      edit(round + 1);
      const { ms, peakMib } = await place.slipway(
        ...packArguments("code", { base, image: "ours", tag: "uaitrain", main: "train.py" }),
      );
      return { ms, peakMib };
    },
  };
}

/** What the old tool did, command by command; the context is the whole folder, data and all. */
function oldSteps(
  program: string,
  words: {
    readonly pull: readonly string[];
    readonly build: readonly string[];
    readonly push: readonly string[];
  },
): Contestant {
  return {
    name: `the old steps with ${program}`,
    maxRounds: slowRounds,
    async run(round) {
      edit(round + 1);
      const [cpu, gpu] = [`${program}-cpu:uaitrain`, `${place.host}/${program}:uaitrain`];
      const steps: readonly (readonly string[])[] = [
        words.pull,
        [...words.build, "-t", cpu, "-f", "uaitrain-cpu.Dockerfile", "."],
        words.pull,
        [...words.build, "-t", gpu, "-f", "uaitrain.Dockerfile", "."],
        [...words.push, gpu],
      ];
      return { ms: await place.steps(program, steps) };
    },
  };
}

/** One line of one file. */
function edit(round: number): void {
  edits += 1;
  writeFileSync(join(work, "code/train.py"), `print("round ${round}, edit ${edits}")\n`);
}
