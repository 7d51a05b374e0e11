import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { openLayout, tagReference } from "../../src/images/layout/index.ts";
import { imageFrom } from "../../src/images/oci/index.ts";
import { requireDebianBase, storeImage } from "../support/debian-base.ts";
import { nameInStore } from "../support/fake-base.ts";
import { imageFiles } from "../support/image-files.ts";
import { packPlace, type PackPlace } from "../support/pack-place.ts";
import { pythonEnv, requireUv } from "../support/python-env.ts";
import { runUnpacked } from "../support/run-unpacked.ts";

const TRAIN = `
import json, os, sys, joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading
iris = load_iris()
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(iris.data, iris.target)
joblib.dump(model, os.path.join(sys.argv[1], "iris/model.joblib"))
joblib.dump(LabelSpreading().fit(iris.data, iris.target), os.path.join(sys.argv[1], "spread/model.joblib"))
rows = iris.data[::15]
print(json.dumps({"rows": rows.tolist(), "labels": model.predict(rows).tolist(), "chances": model.predict_proba(rows).tolist()}))
`;

interface Expected {
  readonly rows: readonly (readonly number[])[];
  readonly labels: readonly number[];
  readonly chances: readonly (readonly number[])[];
}

interface Conversion {
  readonly kind: string;
  readonly converter: string;
  readonly differences: readonly { readonly output: string; readonly maxRel?: number }[];
}

/** A place with two classifiers, one of which no converter takes, a base without Python, and uv. */
async function place(
  t: TestContext,
): Promise<{ readonly cli: PackPlace; readonly expected: Expected } | undefined> {
  const environment = await pythonEnv(t, { packages: ["scikit-learn"] });
  const uv = environment === undefined ? undefined : await requireUv(t);
  if (environment === undefined || uv === undefined) return undefined;
  const cli = await packPlace(t);
  cli.env["PATH"] = `${join(uv, "..")}:${cli.env["PATH"]}`;
  const base = await requireDebianBase(t, { architectures: ["amd64"], blobs: cli.store });
  const [amd64] = base?.images ?? [];
  if (amd64 === undefined) return undefined;
  await cli.store.tag(await storeImage(cli.store, amd64.image, "base:test"), nameInStore("base"));
  for (const name of ["iris", "spread"]) await mkdir(join(cli.root, name));
  const { stdout } = await run([environment.python, "-c", TRAIN, cli.root], { signal: t.signal });
  return { cli, expected: JSON.parse(stdout.toString()) as Expected };
}

function pack(
  cli: PackPlace,
  folder: string,
  ...more: readonly string[]
): ReturnType<PackPlace["slipway"]> {
  return cli.slipway(
    "pack",
    folder,
    "--optimize",
    "onnx",
    "--base",
    "store:base",
    "--json",
    ...more,
  );
}

async function keptIn(cli: PackPlace): Promise<readonly string[]> {
  return readdir(join(cli.folders.data, "optimized")).catch(() => []);
}

async function post(url: string, body: unknown): Promise<unknown> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Connection: "close" },
    body: JSON.stringify(body),
  });
  return answer.json();
}

function assertNear(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  for (const [index, value] of expected.entries())
    assert.ok(Math.abs((actual[index] ?? Number.NaN) - value) < 1e-5, `${index}: ${actual[index]}`);
}

/** Asks over both protocols. */
async function assertAnswers(url: string, { rows, labels, chances }: Expected): Promise<void> {
  const inputs = [{ name: "X", datatype: "FP32", shape: [rows.length, 4], data: rows.flat() }];
  const v2 = (await post(`${url}/v2/models/iris/infer`, { inputs })) as {
    readonly outputs: readonly { readonly name: string; readonly data: readonly number[] }[];
  };
  const byName = new Map(v2.outputs.map(({ name, data }) => [name, data]));
  assert.deepEqual(byName.get("predict"), labels);
  assertNear(byName.get("predict_proba") ?? [], chances.flat());
  const seldon = (await post(`${url}/predict`, { data: { ndarray: rows } })) as {
    readonly data: { readonly ndarray: readonly (readonly number[])[] };
  };
  assertNear(seldon.data.ndarray.flat(), chances.flat());
}

test("a classifier is packed as ONNX in an environment that uv makes, and its image answers without Python", async (t) => {
  const made = await place(t);
  if (made === undefined) return;
  const { cli, expected } = made;

  const dry = await pack(cli, "iris", "--dry-run");
  assert.equal(dry.exitCode, 0, dry.stderr);
  assert.equal(dry.result["kind"], "onnx");
  assert.equal((dry.result["conversion"] as Conversion).converter, "skl2onnx");
  assert.deepEqual(await keptIn(cli), []);

  const planned = await pack(cli, "iris", "--plan");
  assert.equal(planned.exitCode, 0, planned.stderr);
  assert.equal((await keptIn(cli)).length, 1);

  // Places for the image are no outputs of the model.
  const packed = await pack(cli, "iris", "--output", "oci:image");
  assert.equal(packed.exitCode, 0, packed.stderr);
  assert.doesNotMatch(packed.stdout, /"text":"converting/);
  const { kind, differences } = packed.result["conversion"] as Conversion;
  assert.equal(kind, "sklearn");
  assert.deepEqual(
    differences.map(({ output }) => output),
    ["predict", "predict_proba", "predict", "predict_proba"],
  );
  for (const { maxRel = 0 } of differences) assert.ok(maxRel < 1e-4);

  const layout = openLayout(join(cli.root, "image"));
  const image = imageFrom(layout, await layout.resolve(tagReference("latest")));
  const paths = [...(await imageFiles(image)).keys()];
  assert.ok(paths.some((path) => path.startsWith("/models/") && path.endsWith("model.onnx")));
  // The server's layer holds our worker in every image; nothing is there that could run it, nor the model that it would load.
  assert.deepEqual(
    paths.filter((path) =>
      /bin\/python|libpython|(site|dist)-packages|\.joblib$|conversion\.json$/.test(path),
    ),
    [],
  );
  // As a process of this machine: the base has no Python that could.
  await assertAnswers(await runUnpacked(cli, "store:iris"), expected);

  const refused = await pack(cli, "spread");
  assert.equal(refused.exitCode, 4, refused.stdout);
  assert.equal(refused.result["code"], "UNSUPPORTED");
  assert.match(String(refused.result["message"]), /LabelSpreading/);
  assert.match(String(refused.result["hint"]), /without --optimize/);
  assert.equal((await keptIn(cli)).length, 1);
  await assert.rejects(cli.done(["inspect", "store:spread"]));
});
