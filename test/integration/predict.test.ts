import assert from "node:assert/strict";
import { copyFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { test, type TestContext } from "node:test";
import { createSession, predict, type PredictRequest } from "../../src/app/index.ts";
import { predictionRows } from "../../src/app/shown/index.ts";
import { createTempDir } from "../../src/ground/process/index.ts";
import { createLogger, serveModel } from "../../src/serving/server/index.ts";
import { pythonEnv } from "../support/python-env.ts";
import { packPlace } from "../support/pack-place.ts";
import { startV2Server } from "../support/v2-server.ts";

const FIXTURES = resolve(import.meta.dirname, "../fixtures");

/** Predicts and gives the rows of all answers, with the numbers of rows in each request. */
async function ask(
  request: PredictRequest,
  { stdin = "", cwd = FIXTURES }: { readonly stdin?: string; readonly cwd?: string } = {},
): Promise<{ readonly rows: readonly unknown[]; readonly requests: readonly number[] }> {
  const session = createSession({ environment: process.env, cwd });
  const rows: unknown[] = [];
  const requests: number[] = [];
  for await (const answer of predict(request, {
    session,
    stdin: Readable.from([Buffer.from(stdin)]),
  })) {
    rows.push(...predictionRows(answer));
    requests.push(answer.rows);
  }
  return { rows, requests };
}

test("a table, lines of JSON, a document and standard input become the same question over every protocol", async (t) => {
  await using server = await startV2Server(t, "class");
  if (server === undefined) return;
  await using folder = await createTempDir("slipway-predict");
  const at = (name: string): string => join(folder.path, name);
  const rows = Array.from({ length: 5 }, (_, row) => [row, 1, 2, 3]);
  await writeFile(at("rows.csv"), `a,b,c,d\n${rows.map((row) => row.join(",")).join("\n")}\n`);
  await writeFile(at("rows.ndjson"), rows.map((row) => JSON.stringify(row)).join("\n"));
  await writeFile(at("rows.json"), JSON.stringify(rows));
  const target = `http://127.0.0.1:${server.ports.http}`;
  const model = "identity_fp32";
  const { inputs = [], outputs = [] } =
    server.models.model(model).predictor.describe().signature ?? {};
  assert.deepEqual(inputs[0]?.shape, [-1, 4]);
  const wanted = rows.map((row) => ({ [outputs[0]?.name ?? ""]: row }));
  for (const protocol of [undefined, "v2", "v1"] as const) {
    for (const input of [at("rows.csv"), at("rows.ndjson"), at("rows.json")]) {
      const found = await ask({ target, model, input, protocol, batchRows: 2 });
      assert.deepEqual(
        found.rows.map((row) => Object.values(row as object)),
        wanted.map((row) => Object.values(row)),
        `${protocol ?? "asked"} ${input}`,
      );
      assert.deepEqual(found.requests, input.endsWith(".json") ? [1] : [2, 2, 1]);
    }
    const typed = await ask({ target, model, input: "-", protocol }, { stdin: "[[7,8,9,10]]" });
    assert.deepEqual(Object.values(typed.rows[0] as object), [[7, 8, 9, 10]]);
  }
});

test("inputs of several names come from columns, objects and documents; text and large integers stay exact", async (t) => {
  await using server = await startV2Server(t, "class");
  if (server === undefined) return;
  const target = `http://127.0.0.1:${server.ports.http}`;
  const sixteen = Array.from({ length: 16 }, (_, at) => at);
  const document = JSON.stringify({ INPUT0: [sixteen], INPUT1: [sixteen] });
  const sum = await ask({ target, model: "add_sub", input: "-" }, { stdin: document });
  assert.deepEqual(
    (sum.rows[0] as { OUTPUT0: unknown }).OUTPUT0,
    sixteen.map((one) => 2 * one),
  );
  const line = JSON.stringify({ INPUT0: sixteen, INPUT1: sixteen });
  const lines = await ask(
    { target, model: "add_sub", input: "-", form: "ndjson" },
    { stdin: `${line}\n${line}\n` },
  );
  assert.equal(lines.rows.length, 2);
  const big = await ask(
    { target, model: "identity_int64", input: "-" },
    { stdin: "[[9007199254740993]]" },
  );
  assert.match(JSON.stringify(big.rows), /9007199254740993/);
  const text = await ask(
    { target, model: "identity_bytes", input: "-", form: "text" },
    { stdin: "你好\n" },
  );
  assert.match(JSON.stringify(text.rows), /你好/);
});

test("what cannot be asked is named: the model, the line, the server's own words", async (t) => {
  await using server = await startV2Server(t, "class");
  if (server === undefined) return;
  const target = `http://127.0.0.1:${server.ports.http}`;
  const refused = (request: Partial<PredictRequest>, stdin: string): Promise<unknown> =>
    ask({ target, input: "-", ...request }, { stdin }).then(
      () => assert.fail("it was answered"),
      (error: unknown) => error,
    );
  const code = async (...args: Parameters<typeof refused>): Promise<string> => {
    const error = (await refused(...args)) as { code: string; message: string };
    return `${error.code} ${error.message}`;
  };
  assert.match(await code({ model: "none" }, "[1]"), /MODEL_NOT_FOUND .*"none"/);
  assert.match(
    await code({ model: "fail" }, "[[1,2,3,4]]"),
    /MODEL_FAILED .*500: this model always fails/,
  );
  const csv = { model: "identity_fp32", form: "csv", batchRows: 1 } as const;
  assert.match(await code(csv, "1,2,3,4\n3,x,5,6\n"), /USAGE .*line 2: "x" is not a number/);
  assert.match(await code({ model: "identity_fp32" }, "{"), /USAGE .*JSON/);
  assert.match(await code({ input: "nowhere.csv" }, ""), /USAGE .*nowhere\.csv/);
});

async function serveClass(
  t: TestContext,
  source: string,
  contract: "seldon" | "uai",
): Promise<string | undefined> {
  const environment = await pythonEnv(t, { packages: ["numpy"] });
  if (environment === undefined) return undefined;
  const folder = await createTempDir("slipway-predict");
  await writeFile(join(folder.path, "model.py"), source);
  const conf = { http_server: { exec: { main_file: "model", main_class: "Model" } } };
  await writeFile(join(folder.path, "ufile.json"), JSON.stringify(conf));
  const server = await serveModel(
    {
      ...{ schemaVersion: 1, name: "m", kind: "class", contract, service: "MODEL" },
      ...{ codePath: folder.path, ports: { http: 0 }, server: {} },
      code: { file: "model.py", name: "Model", language: "python" },
      python: { executable: environment.python, path: [] },
    },
    {
      ...{ host: "127.0.0.1", page: false },
      log: createLogger({ level: "fatal", write: () => undefined }),
    },
  );
  t.after(async () => {
    await server[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });
  return `http://127.0.0.1:${server.ports.http}`;
}

test("the protocol is found by asking, of servers without a page and of strangers too", async (t) => {
  const seldon = await serveClass(
    t,
    "class Model:\n    def predict(self, X, names):\n        return X * 2\n",
    "seldon",
  );
  if (seldon === undefined) return;
  const doubled = await ask({ target: seldon, input: "-" }, { stdin: "[[1,2]]" });
  assert.match(JSON.stringify(doubled.rows), /\[2,4\]/);
  const uai = await serveClass(
    t,
    'class Model:\n    def __init__(self, conf):\n        pass\n    def execute(self, data, batch_size):\n        return ["%d bytes" % len(one.read()) for one in data]\n',
    "uai",
  );
  const counted = await ask({ target: uai ?? "", input: "-", form: "raw" }, { stdin: "four" });
  assert.deepEqual(counted.requests, [1]);
  const stranger = createServer((request, response) => {
    const answers: Readonly<Record<string, string>> = {
      "/v1/models": '{"models":["far"]}',
      "/v1/models/far:predict": '{"predictions":[[3]]}',
    };
    const body = answers[request.url ?? ""];
    response.writeHead(body === undefined ? 404 : 200).end(body ?? "<html>no</html>");
  });
  await new Promise<void>((done) => stranger.listen(0, "127.0.0.1", done));
  t.after(() => stranger.close());
  const address = stranger.address();
  assert.ok(typeof address === "object" && address !== null);
  const far = await ask(
    { target: `http://127.0.0.1:${address.port}`, input: "-" },
    { stdin: "[[1]]" },
  );
  assert.deepEqual(far.rows, [{ output: [3] }]);
});

test("the command asks a folder that nobody serves, and prints a table", async (t) => {
  const user = await packPlace(t, { isBare: true });
  await copyFile(join(FIXTURES, "onnx/digit28.onnx"), join(user.root, "digit28.onnx"));
  const { stdout, stderr, exitCode } = await user.run(
    ["predict", user.root, "-", "--form", "csv"],
    {
      stdin: `${Array.from({ length: 784 }, () => 0).join(",")}\n`,
    },
  );
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /^row +probabilities\n +0 +\d \(\d+\.\d %\)\n$/);
});
