import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { copyFile, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { test, type TestContext } from "node:test";
import { loadProject } from "../../src/app/pack/project.ts";
import { run } from "../../src/ground/process/index.ts";
import { parseJob, printPlan, type Framework, type RunRecord } from "../../src/jobs/train/index.ts";
import { pythonEnv } from "../support/python-env.ts";
import { debianPlace, engineEnvironment } from "../support/debian-place.ts";
import { inProcess, runTraining, type ScreenPlace } from "../support/in-process.ts";
import { packPlace } from "../support/pack-place.ts";

const PROGRAM = resolve(import.meta.dirname, "../../bin/slipway.js");

/** A packed job without an image: for runs on the host. */
async function packed(
  place: ScreenPlace,
  script: string,
  framework: Framework = "pytorch",
): Promise<void> {
  const job = parseJob(framework, {
    code_path: "code",
    mainfile_path: "train.py",
    uhub_registry: "localhost:1",
    uhub_imagename: "job",
    test_data_path: "d",
    test_output_path: "o",
    bimg_name: "x",
  });
  const images = {
    cpu: { name: "job-cpu:1", digest: `sha256:${"a".repeat(64)}` as const, isPushed: false },
  };
  const paths = { data: join(place.root, "data set"), output: join(place.root, "out put") };
  await place.write({
    "code/train.py": script,
    "data set/x.txt": "12",
    "slipway-train.json": printPlan(job, { paths, codePath: join(place.root, "code"), images }),
  });
}

/** What the run left beside its output. */
async function recordOf({ root }: ScreenPlace): Promise<RunRecord> {
  return JSON.parse(await readFile(join(root, "out put", "slipway-run.json"), "utf8")) as RunRecord;
}

function sha256(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

const ARGUMENTS = `import argparse, os, sys
from uaitrain.arch.pytorch.uargs import add_uai_args
parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=3)
add_uai_args(parser)
args = parser.parse_args()
`;

test("on the host a script gets the standard parameters as paths of this machine, and what it left is told", async (t) => {
  const place = inProcess(await packPlace(t, { isBare: true }));
  await packed(
    place,
    `${ARGUMENTS}assert os.getcwd() == args.work_dir
base = int(open(os.path.join(args.data_dir, "x.txt")).read())
for step in range(args.rounds):
    print("step=%d loss=%g" % (step, base - step))
os.makedirs(os.path.join(args.output_dir, "sub"))
open(os.path.join(args.output_dir, "sub", "model.bin"), "wb").write(b"x" * 2048)
`,
  );
  await runTraining(["--rounds", "5"], { host: true }, place.cli);
  assert.match(
    place.lines.join("\n"),
    /exit code 0[^]*sub\/model\.bin +2\.0 KiB[^]*curves: slipway-train\.svg/,
  );
  assert.match(await readFile(join(place.root, "slipway-train.svg"), "utf8"), /loss: 8/);
  const record = await recordOf(place);
  assert.equal(record.state, "ended");
  assert.equal(record.exitCode, 0);
  assert.deepEqual(record.files, { "sub/model.bin": sha256("x".repeat(2048)) });
  assert.equal(record.image, undefined);
  assert.deepEqual(record.metrics, { loss: 8 });
  const [result] = place.results;
  assert.deepEqual(result?.["files"], [{ path: "sub/model.bin", size: 2048 }]);
});

test("an image gets the labels of the run that made its weights, and of no other", async (t) => {
  const place = inProcess(await packPlace(t, { isBare: true }));
  const [weights, others] = ["identity_fp32", "add_sub"].map((name) =>
    resolve(import.meta.dirname, "../fixtures/v2", name, "model.onnx"),
  );
  await packed(
    place,
    `${ARGUMENTS}import json, shutil
record = json.load(open(os.path.join(args.output_dir, "slipway-run.json")))
assert (record["state"], record["files"]) == ("running", {}), record
if args.rounds:
    shutil.copyfile(${JSON.stringify(weights)}, os.path.join(args.output_dir, "model.onnx"))
`,
  );
  const output = join(place.root, "out put");
  const labels = async (): Promise<readonly string[]> =>
    Object.values((await loadProject(output, {}, { session: place.cli.session })).project.labels);
  await place.write({ "out put/slipway-run.json": "{}" });
  await runTraining(["--rounds", "1"], { host: true }, place.cli);
  assert.match((await labels()).join(), /"--rounds","1"/);
  assert.deepEqual(
    place.warnings.filter((text) => text.includes("slipway-run")),
    [],
  );
  await runTraining(["--rounds", "0"], { host: true }, place.cli);
  assert.deepEqual(await labels(), [], "the second run did not make what lies there");
  await runTraining(["--rounds", "1"], { host: true }, place.cli);
  await copyFile(others ?? "", join(output, "model.onnx"));
  assert.deepEqual(await labels(), [], "the weights are others now");
  assert.match(place.warnings.join(), /"slipway-run.json" is of other weights than these/);
});

test("a script that fails is a failed command, with its exit code", async (t) => {
  const place = inProcess(await packPlace(t, { isBare: true }));
  await packed(place, "import sys; sys.exit(7)\n");
  await assert.rejects(runTraining([], { host: true }, place.cli), {
    code: "PROCESS_FAILED",
    message: /exit code 7/,
    exitCode: 7,
  });
  const { exitCode } = await run([process.execPath, PROGRAM, "train", "run", "--host"], {
    cwd: place.root,
    env: { ...place.cli.session.environment, SLIPWAY_FROM_SOURCE: "1" },
    allowFailure: true,
  });
  assert.equal(exitCode, 7);
  assert.match(place.lines.join("\n"), /exit code 7/);
});

test("forms of metrics that the user gives take the place of the known ones", async (t) => {
  const place = inProcess(await packPlace(t, { isBare: true }));
  await packed(
    place,
    "for n in (1, 2): print('round %d | perplexity is %d, loss=3' % (n, n * 8))\n",
  );
  const metric = ["round (?<step>\\d+) .*(?<name>perplexity) is (?<value>\\d+)"];
  await runTraining([], { host: true, metric }, place.cli);
  assert.deepEqual(place.results[0]?.["metrics"], { perplexity: 16 });
  for (const [text, message] of [
    ["loss (", /no regular expression/],
    ["loss \\d", /no group for the value/],
  ] as const)
    await assert.rejects(runTraining([], { host: true, metric: [text] }, place.cli), {
      code: "USAGE",
      message,
    });
});

test("input and output are checked before anything starts", async (t) => {
  const place = inProcess(await packPlace(t, { isBare: true }));
  await packed(place, "raise SystemExit('it ran')\n");
  await assert.rejects(runTraining([], { host: true, data: "nowhere" }, place.cli), {
    code: "PROJECT_NOT_FOUND",
    message: /nowhere/,
  });
  await assert.rejects(runTraining([], { host: true, data: "code/train.py" }, place.cli), {
    code: "PROJECT_NOT_FOUND",
    message: /train\.py" is a file, not a folder/,
  });
  await assert.rejects(runTraining([], { host: true, output: "/proc/x/y" }, place.cli), {
    code: "STORE_UNWRITABLE",
  });
  await assert.rejects(runTraining([], { host: true, output: "code/train.py/out" }, place.cli), {
    code: "STORE_UNWRITABLE",
  });
  await assert.rejects(runTraining([], { plan: "none.json" }, place.cli), {
    code: "PROJECT_NOT_FOUND",
    hint: /train pack/,
  });
  assert.deepEqual(place.lines, []);
});

test("several processes get the environment of a distributed job, and the first failure ends all", async (t) => {
  const place = inProcess(await packPlace(t, { isBare: true }));
  await packed(
    place,
    `import json, os, sys, time
config = json.loads(os.environ["TF_CONFIG"])
hosts = config["cluster"]["chief"] + config["cluster"]["worker"] + config["cluster"]["ps"]
assert len(set(hosts)) == 4, hosts
name = config["task"]["type"] + str(config["task"]["index"])
output = [a for a in sys.argv if a.startswith("--output_dir=")][0][13:]
open(os.path.join(output, name), "w").write(name)
while not os.path.exists(os.path.join(output, "ps0")):
    time.sleep(0.01)  # services end with the workers, so these must not be done before it has begun
print("step=1 loss=%d" % len(name))
if name == "ps0":
    time.sleep(600)
if "--fail" in sys.argv and name == "worker1":
    sys.exit(3)
if "--fail" in sys.argv:
    time.sleep(600)
`,
    "tf",
  );
  await runTraining([], { host: true, nproc: "3", servers: "1" }, place.cli);
  const [result] = place.results;
  const files = result?.["files"] as readonly { readonly path: string }[] | undefined;
  assert.deepEqual(files?.map(({ path }) => path).sort(), ["chief0", "ps0", "worker0", "worker1"]);
  assert.deepEqual(result?.["metrics"], { loss: 6 }, "of several, the first one's numbers count");
  const words = ["train", "run", "--host", "--nproc", "3", "--servers", "1", "--", "--fail"];
  const { exitCode, stderrTail } = await run([process.execPath, PROGRAM, ...words], {
    cwd: place.root,
    env: { ...place.cli.session.environment, SLIPWAY_FROM_SOURCE: "1" },
    allowFailure: true,
  });
  assert.equal(exitCode, 3);
  assert.match(stderrTail, /worker 1 ended with exit code 3, so the others are stopped/);
});

test("TensorBoard files that a run writes are read, and older ones are not", async (t) => {
  const python = await pythonEnv(t, { packages: ["tensorboardX", "numpy"] });
  if (python === undefined) return;
  const place = inProcess(await packPlace(t, { isBare: true }));
  await packed(
    place,
    `${ARGUMENTS}from tensorboardX import SummaryWriter
with SummaryWriter(args.log_dir, filename_suffix=str(args.rounds)) as writer:
    for step in range(args.rounds):
        writer.add_scalar("train/loss", 1.0 / (step + 1), step)
        writer.add_histogram("weights", [1.0, 2.0, 3.0], step)
`,
  );
  await runTraining(["--rounds", "4"], { host: true, python: python.python }, place.cli);
  assert.deepEqual(place.results[0]?.["metrics"], { "train/loss": 0.25 });
  assert.match(await readFile(join(place.root, "slipway-train.svg"), "utf8"), /train\/loss: 0\.25/);
  await runTraining(["--rounds", "0"], { host: true, python: python.python }, place.cli);
  assert.deepEqual(place.results[1]?.["metrics"], {});
});

test("Ctrl-C stops the container and leaves none behind", async (t) => {
  const tools = await debianPlace(t, ["python3"]);
  if (tools === undefined) return;
  await tools.write({
    "code/train.py": "import time\nprint('training began')\ntime.sleep(600)\n",
    "data/x": "",
  });
  await tools.done([
    "self",
    "pack",
    "--self_img",
    "store:pybase",
    "--acc_type",
    "cpu",
    "--code_path",
    "code",
    "--mainfile_path",
    "train.py",
    "--uhub_registry",
    "localhost:1",
    "--uhub_imagename",
    "long",
    "--test_data_path",
    "data",
    "--test_output_path",
    "output",
    "--engine",
    "none",
  ]);
  for (const engine of ["docker", "podman"] as const) {
    await t.test(`with ${engine}`, async (inner) => {
      const own = await engineEnvironment(inner, engine, tools);
      if (own === undefined) return;
      const env = { ...tools.env, ...own };
      assert.equal(
        await interrupt(inner, ["train", "run", "--engine", engine], { cwd: tools.root, env }),
        130,
      );
      const { stdout } = await run(
        [engine, "ps", "--all", "--no-trunc", "--format", "{{.Mounts}} {{.Command}}"],
        { env },
      );
      assert.ok(
        !stdout.toString("utf8").includes(engine === "docker" ? tools.root : "launch.py"),
        stdout.toString("utf8"),
      );
    });
  }
});

test("Ctrl-C ends the processes of a run on the host", async (t) => {
  const place = inProcess(await packPlace(t, { isBare: true }));
  await packed(
    place,
    `import os, sys, time
output = [a for a in sys.argv if a.startswith("--output_dir=")][0][13:]
mine = os.path.join(output, "pid" + os.environ["RANK"])
with open(mine + ".draft", "w") as draft:
    draft.write(str(os.getpid()))
os.rename(mine + ".draft", mine)
while not all(os.path.exists(os.path.join(output, "pid" + rank)) for rank in "01"):
    time.sleep(0.01)
if os.environ["RANK"] == "0":  # its numbers are the run's
    print("loss=0.5", flush=True)
    print("training began", flush=True)
time.sleep(600)
`,
  );
  assert.equal(
    await interrupt(t, ["train", "run", "--host", "--nproc", "2"], {
      cwd: place.root,
      env: { ...place.cli.session.environment, SLIPWAY_FROM_SOURCE: "1" },
    }),
    130,
  );
  for (const rank of ["0", "1"]) {
    const pid = Number(await readFile(join(place.root, "out put", `pid${rank}`), "utf8"));
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  }
  const { state, exitCode, files, metrics } = await recordOf(place);
  assert.deepEqual([state, exitCode, metrics], ["stopped", undefined, { loss: 0.5 }]);
  assert.deepEqual(Object.keys(files).sort(), ["pid0", "pid1"]);
  assert.match(await readFile(join(place.root, "slipway-train.svg"), "utf8"), /loss: 0\.5/);
});

/** Starts a command, presses Ctrl-C when training began, and gives the exit code. */
async function interrupt(
  t: TestContext,
  args: readonly string[],
  place: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<number | null> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    ...place,
    stdio: ["ignore", "ignore", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  const ended = once(child, "exit") as Promise<[number | null]>;
  await until(child.stderr, "training began");
  child.kill("SIGINT");
  return (await ended)[0];
}

test("in a terminal curves and how far it is stand below the log, and go at the end", async (t) => {
  const place = inProcess(await packPlace(t, { isBare: true }));
  await packed(
    place,
    `import json
for epoch in range(1, 4):
    print("epoch %d/3 loss=%g" % (epoch, 4 - epoch))
    print(json.dumps({"step": epoch, "accuracy": epoch / 4}))
`,
  );
  const shell = `stty cols 100 rows 40; exec '${process.execPath}' '${PROGRAM}' train run --host --svg curves.svg`;
  const { stdout } = await run(
    [
      "python3",
      "-c",
      "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(['/bin/sh', '-c', sys.argv[1]])))",
      shell,
    ],
    {
      cwd: place.root,
      env: { ...place.cli.session.environment, TERM: "xterm", SLIPWAY_FROM_SOURCE: "1" },
    },
  );
  const shown = stdout.toString("utf8");
  assert.match(shown, /epoch 3\/3 loss=1/);
  assert.match(shown, /loss 1 \(from 3, 1 to 3, step 3\)[^]*[\u2801-\u28ff]/);
  assert.match(shown, /accuracy 0\.75/);
  const status = shown.search(/epoch \d of 3 after /);
  assert.ok(
    status > 0 && shown.indexOf("\u001B[0J", status) > 0,
    "what was drawn is taken away again",
  );
  assert.match(shown, /exit code 0/);
  assert.match(
    await readFile(join(place.root, "curves.svg"), "utf8"),
    /<polyline[^]*accuracy: 0\.75/,
  );
});

/** Waits for a text and leaves the stream running. */
function until(stream: Readable | null, text: string): Promise<void> {
  return new Promise((found, failed) => {
    let seen = "";
    stream?.on("data", (chunk: Buffer) => {
      seen += chunk.toString("utf8");
      if (seen.includes(text)) found();
    });
    stream?.on("end", () => failed(new Error(`it ended before it said "${text}": ${seen}`)));
  });
}
