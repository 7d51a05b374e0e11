import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { debianPlace, engineEnvironment } from "../support/debian-place.ts";
import { freePort } from "../support/free-port.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** Trains on the handwritten digits that scikit-learn ships; which of them it may see stands in the data folder. */
const TRAIN = `import argparse, json, os
import joblib
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from uaitrain.arch.pytorch.uargs import add_uai_args

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=3)
add_uai_args(parser)
args = parser.parse_args()
split = json.load(open(os.path.join(args.data_dir, "split.json")))["train"]
digits = load_digits()
X, y = digits.data / 16.0, digits.target
for round in range(1, args.rounds + 1):
    model = LogisticRegression(max_iter=20 * round).fit(X[:split], y[:split])
    accuracy = float((model.predict(X[split:]) == y[split:]).mean())
    print("epoch=%d accuracy=%.6f" % (round, accuracy))
joblib.dump(model, os.path.join(args.output_dir, "model.joblib"))
json.dump({"X": X[split:].tolist(), "y": y[split:].tolist()}, open(os.path.join(args.data_dir, "asked.json"), "w"))
`;

test("a training image trains in docker and in podman, and what it leaves answers over HTTP as training said", async (t) => {
  const tools = await debianPlace(t, ["python3", "bash", "libgomp1"]);
  if (tools === undefined) return;
  const { done: slipway } = tools;
  await run([process.execPath, "scripts/build.js"], { cwd: ROOT, timeoutMs: 300_000 });
  await tools.write({
    "code/train.py": TRAIN,
    "code/requirements.txt": "scikit-learn==1.6.1\njoblib\nnumpy<2.3\n",
    "data/split.json": '{"train": 1400}',
  });
  await slipway([
    "train",
    "pack",
    "--framework",
    "self",
    "--self_img",
    "store:pybase",
    "--acc_type",
    "CPU",
    "--code_path",
    "./code/",
    "--mainfile_path",
    "train.py",
    "--uhub_registry",
    "localhost:1",
    "--uhub_imagename",
    "digits",
    "--test_data_path",
    "data",
    "--test_output_path",
    "output",
    "--engine",
    "none",
  ]);
  for (const engine of ["docker", "podman"] as const) {
    await t.test(`with ${engine}`, async (inner) => {
      const env = await engineEnvironment(inner, engine, tools);
      if (env === undefined) return;
      const output = `output-${engine}`;
      const { stdout, stderr } = await slipway(
        [
          "train",
          "run",
          "--engine",
          engine,
          "--output",
          output,
          "--writable-data",
          "--svg",
          `${engine}.svg`,
          "--",
          "--rounds",
          "4",
        ],
        env,
      );
      const printed = /epoch=4 accuracy=([\d.]+)/.exec(`${stdout}${stderr}`)?.[1];
      assert.ok(printed !== undefined && Number(printed) > 0.85, `${stdout}${stderr}`);
      assert.match(stdout, /exit code 0[^]*model\.joblib/);
      assert.match(await readFile(join(tools.root, `${engine}.svg`), "utf8"), /<polyline/);
      await slipway(["pack", output, "--base", "store:pybase", "-t", `store:digits-${engine}`]);
      const inspected = await slipway(["inspect", `store:digits-${engine}`]);
      const plan = JSON.parse(await readFile(join(tools.root, "slipway-train.json"), "utf8")) as {
        readonly images: { readonly cpu: { readonly digest: string } };
      };
      assert.ok(
        inspected.stdout.includes(plan.images.cpu.digest),
        "the label names the training image",
      );
      assert.equal(await servedAccuracy(`store:digits-${engine}`, { engine, env, tools }), printed);
    });
  }
});

/** Runs the packed model in the engine and asks it about every row that training did not see. */
async function servedAccuracy(
  image: string,
  {
    engine,
    env,
    tools,
  }: {
    readonly engine: string;
    readonly env: Readonly<Record<string, string>>;
    readonly tools: NonNullable<Awaited<ReturnType<typeof debianPlace>>>;
  },
): Promise<string> {
  const port = await freePort();
  const { stdout } = await tools.done(
    ["run", image, "--engine", engine, "-p", `${port}:9000`, "--detach", "--json"],
    env,
  );
  const started = JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as { readonly id: string };
  try {
    const { X, y } = JSON.parse(await readFile(join(tools.root, "data/asked.json"), "utf8")) as {
      readonly X: readonly (readonly number[])[];
      readonly y: readonly number[];
    };
    const response = await fetch(`http://127.0.0.1:${port}/api/v1.0/predictions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ data: { ndarray: X } }),
    });
    const answer = (await response.json()) as {
      readonly data: { readonly ndarray: readonly number[] };
    };
    assert.equal(response.status, 200, JSON.stringify(answer));
    assert.equal(answer.data.ndarray.length, y.length);
    return (
      answer.data.ndarray.filter((label, index) => label === y[index]).length / y.length
    ).toFixed(6);
  } finally {
    await run([engine, "rm", "--force", started.id], { extraEnv: { ...env }, allowFailure: true });
  }
}
