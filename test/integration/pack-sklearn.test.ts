import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { nameInStore } from "../support/fake-base.ts";
import { packPlace } from "../support/pack-place.ts";
import { requireDebianBase, storeImage } from "../support/debian-base.ts";
import { pythonEnv, requireUv } from "../support/python-env.ts";
import { runUnpacked } from "../support/run-unpacked.ts";

const TRAIN = `
import json, sys, joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
iris = load_iris()
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(iris.data, iris.target_names[iris.target])
joblib.dump(model, sys.argv[1])
print(json.dumps({"rows": iris.data[::15].tolist(), "answers": model.predict(iris.data[::15]).tolist()}))
`;

/** Over a connection of its own, which is gone before the server is asked to stop. */
async function post(url: string, body: unknown): Promise<unknown> {
  const sent = request(url, {
    method: "POST",
    agent: false,
    headers: { "Content-Type": "application/json" },
  });
  sent.end(JSON.stringify(body));
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return JSON.parse(
    Buffer.concat(await Array.fromAsync(answer as AsyncIterable<Uint8Array>)).toString(),
  );
}

test("a folder with nothing but a joblib file is packed with the packages that wrote it, and the image answers as the library does", async (t) => {
  const environment = await pythonEnv(t, { packages: ["scikit-learn"] });
  const uv = environment === undefined ? undefined : await requireUv(t);
  if (environment === undefined || uv === undefined) return;
  const cli = await packPlace(t);
  cli.env["PATH"] = `${join(uv, "..")}:${cli.env["PATH"]}`;
  const base = await requireDebianBase(t, {
    include: ["python3", "libgomp1"],
    architectures: ["amd64"],
    blobs: cli.store,
  });
  const [amd64] = base?.images ?? [];
  if (amd64 === undefined) return;
  await cli.store.tag(
    await storeImage(cli.store, amd64.image, "pybase:test"),
    nameInStore("pybase"),
  );
  await mkdir(join(cli.root, "iris"));
  const { stdout } = await run(
    [environment.python, "-c", TRAIN, join(cli.root, "iris/model.joblib")],
    { signal: t.signal },
  );
  const expected = JSON.parse(stdout.toString()) as {
    readonly rows: readonly (readonly number[])[];
    readonly answers: readonly string[];
  };

  const packed = await cli.slipway("pack", "iris", "--base", "store:pybase");
  assert.equal(packed.exitCode, 0, packed.stderr);
  assert.match(
    packed.stderr,
    /no requirements\.txt: installing numpy>=2, scikit-learn==\d+\.\d+\.\d+, which the model needs/,
  );
  const checked = await cli.slipway("doctor", "store:iris");
  assert.match(checked.stdout, /ok +model +sklearn "iris", seldon contract, 1 input/);

  const url = await runUnpacked(cli, "store:iris");
  const answer = (await post(`${url}/predict`, { data: { ndarray: expected.rows } })) as {
    readonly data: { readonly ndarray: readonly string[] };
  };
  assert.deepEqual(answer.data.ndarray, expected.answers);
});
