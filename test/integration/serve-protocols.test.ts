import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { createTempDir } from "../../src/ground/process/index.ts";
import { CONTRACTS, type ModelDescription } from "../../src/models/description/index.ts";
import { protocolOf } from "../../src/serving/protocols/index.ts";
import { createLogger, serveModel } from "../../src/serving/server/index.ts";
import { pythonEnv } from "../support/python-env.ts";

const CLASSES = {
  "model-server": `
class Model:
    def predict(self, inputs):
        return {"output": inputs["input"]}
`,
  kserve: `
class Model:
    def predict(self, inputs):
        return {"output": inputs["input"]}
`,
  seldon: `
class Model:
    def predict(self, X, names):
        return X
`,
  uai: `
class Model:
    def __init__(self, conf):
        pass
    def execute(self, data, batch_size):
        return ["%d bytes" % len(one.read()) for one in data]
`,
};

const ANSWERS = {
  "model-server": /"outputs":\{"\w+":\[\[0/,
  kserve: /"data":\[0/,
  seldon: /"ndarray":\[\[0/,
  uai: /4 bytes/,
};
const V1_ANSWERS = {
  "model-server": /"outputs":\[\[0/,
  kserve: /"outputs":\[\[0/,
  seldon: /"outputs":\[\[0/,
  uai: /bodies, not tensors/,
};

for (const contract of CONTRACTS) {
  test(`the sample request of ${contract} is answered by a server of that contract`, async (t) => {
    const environment = await pythonEnv(t, { packages: ["numpy"] });
    if (environment === undefined) return;
    await using folder = await createTempDir("slipway-sample");
    const codePath = join(folder.path, "code");
    await mkdir(codePath);
    await writeFile(join(codePath, "model.py"), CLASSES[contract]);
    const conf = { http_server: { exec: { main_file: "model", main_class: "Model" } } };
    await writeFile(join(codePath, "ufile.json"), JSON.stringify(conf));
    await writeFile(join(folder.path, "input"), "four");
    const description: ModelDescription = {
      ...{ schemaVersion: 1, name: "m", kind: "class", contract, service: "MODEL", codePath },
      code: { file: "model.py", name: "Model", language: "python" },
      ports: { http: 0 },
      server: {},
      python: { executable: environment.python, path: [] },
    };
    await using server = await serveModel(description, {
      host: "127.0.0.1",
      log: createLogger({ level: "fatal", write: () => undefined }),
    });
    const url = `http://127.0.0.1:${server.ports.http}`;
    const line = protocolOf(contract).sample(description, url).replace("curl", "curl --fail");
    const { stdout } = await promisify(execFile)("sh", ["-c", line], { cwd: folder.path });
    assert.match(stdout, ANSWERS[contract]);
    const other = protocolOf("v1").sample(description, url);
    const { stdout: answer } = await promisify(execFile)("sh", ["-c", other]);
    assert.match(answer, V1_ANSWERS[contract]);
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object };
    assert.deepEqual(
      ["/predict", "/service", "/v2/models/{name}/infer"].map((path) => path in document.paths),
      [true, contract === "uai", contract !== "uai"],
    );
  });
}

test("a path of another contract answers 501 with the reason where the model cannot", async (t) => {
  const environment = await pythonEnv(t, { packages: ["numpy"] });
  if (environment === undefined) return;
  await using server = await serveModel(
    {
      ...{ schemaVersion: 1, name: "m", kind: "class", contract: "seldon", service: "MODEL" },
      codePath: join(import.meta.dirname, "../fixtures/typed-model"),
      code: { file: "typed.py", name: "Add", language: "python" },
      ports: { http: 0 },
      server: {},
      python: { executable: environment.python, path: [] },
    },
    { host: "127.0.0.1", log: createLogger({ level: "fatal", write: () => undefined }) },
  );
  const url = `http://127.0.0.1:${server.ports.http}`;
  const refused = await fetch(`${url}/service`, { method: "POST", body: "x" });
  assert.deepEqual([refused.status, /takes tensors/.test(await refused.text())], [501, true]);
  const post = async (body: unknown): Promise<unknown> =>
    (
      await fetch(`${url}/predict`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      })
    ).json();
  const answer = (await post({ jsonData: { a: [1, 2], b: [10, 20] } })) as { data: unknown };
  assert.deepEqual(answer.data, { names: [], tensor: { shape: [2], values: [11, 22] } });
});
