import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { createSession, makeClient, type Session } from "../../src/app/index.ts";
import { createTempDir } from "../../src/ground/process/index.ts";
import { writePython, writeTypescript, type ClientFacts } from "../../src/serving/clients/index.ts";
import { pythonEnv } from "../support/python-env.ts";
import { packPlace } from "../support/pack-place.ts";
import { startV2Server } from "../support/v2-server.ts";

const run = promisify(execFile);
const TSC = resolve(import.meta.dirname, "../../node_modules/typescript/bin/tsc");
const STRICT =
  "--ignoreConfig --noEmit --strict --noUncheckedIndexedAccess --exactOptionalPropertyTypes --noUnusedLocals --noUnusedParameters --noImplicitOverride --verbatimModuleSyntax --erasableSyntaxOnly --isolatedDeclarations --declaration --allowImportingTsExtensions --module nodenext --target es2022 --lib es2022,dom --types".split(
    " ",
  );

/** A user's program: it compiles only where the types are those of the models. */
const USE_TS = `
import { ModelClient, ModelError } from "./client.ts";
export async function use(url: string): Promise<unknown> {
  const client = new ModelClient(url + "/", { headers: { "x-user": "me" }, timeoutMs: 30_000 });
  const row: readonly number[] = Array.from({ length: 16 }, (_, at) => at);
  const { OUTPUT0, OUTPUT1 } = await client.addSub({ INPUT0: [row, row], INPUT1: [row, row] });
  const sums: number[][] = OUTPUT0;
  const { OUTPUT0: big } = await client.identityInt64({ INPUT0: [[9007199254740993n, -9223372036854775808n]] });
  const exact: bigint[][] = big;
  const text: string[][] = (await client.identityBytes({ INPUT0: [['"你好"\\n1e5 NaN\\\\']] })).OUTPUT0;
  const floats = (await client.identityFp32({ INPUT0: [[NaN, Infinity, -Infinity, 0.5]] })).OUTPUT0;
  const none = (await client.identityFp32({ INPUT0: [] })).OUTPUT0;
  const refused: unknown[] = [];
  const calls = [
    () => client.fail({ INPUT0: [[1, 2, 3, 4]] }),
    () => client.addSub({ INPUT0: [[1.5, ...row.slice(1)]], INPUT1: [row] }),
    () => client.addSub({ INPUT0: [row, [1]], INPUT1: [row, row] }),
  ];
  for (const call of calls)
    await call().catch((error: unknown) => {
      const status = error instanceof ModelError ? error.status : 0;
      refused.push([status, error instanceof Error ? error.message : ""]);
    });
  return { sums: [sums[1]?.[3], OUTPUT1[0]?.[3]], exact: exact.map((one) => one.map(String)), text, floats: floats.map((one) => one.map(String)), none, refused };
}
`;
const USE_PY = `
import json, sys
import numpy
from client import ModelClient, ModelError
client = ModelClient(sys.argv[1] + "/", headers={"x-user": "me"}, timeout=30)
row = list(range(16))
both = client.add_sub(INPUT0=numpy.array([row, row]), INPUT1=[row, row])
exact = client.identity_int64(INPUT0=[[9007199254740993, -9223372036854775808]])["OUTPUT0"]
text = client.identity_bytes(INPUT0=[['"你好"\\n1e5 NaN\\\\']])["OUTPUT0"]
floats = client.identity_fp32(INPUT0=[[float("nan"), float("inf"), float("-inf"), 0.5]])["OUTPUT0"]
none = client.identity_fp32(INPUT0=[])["OUTPUT0"]
refused = []
for call in (
    lambda: client.fail(INPUT0=[[1, 2, 3, 4]]),
    lambda: client.add_sub(INPUT0=[[1.5, *row[1:]]], INPUT1=[row]),
    lambda: client.add_sub(INPUT0=[row, [1]], INPUT1=[row, row]),
):
    try:
        call()
    except (ModelError, ValueError) as error:
        refused.append([getattr(error, "status", 0), str(error)])
names = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
print(json.dumps({
    "sums": [both["OUTPUT0"][1][3], both["OUTPUT1"][0][3]],
    "exact": [[str(one) for one in row] for row in exact],
    "text": text,
    "floats": [[names.get(str(one), str(one)) for one in row] for row in floats],
    "none": none,
    "refused": refused,
}))
`;

const HOSTILE_NAME = '*/"""\n\u2028\u0085\ud800\\";`${process.exit()}#{x}';
const HOSTILE_TENSORS = ["class", "a b", "a-b", "__x", "__proto__", "3d", HOSTILE_NAME].map(
  (name) => ({ name, datatype: "INT64" as const, shape: [-1, 2] }),
);
/** Names that would end a literal or a comment, or are none: the files still have to compile. */
const HOSTILE: ClientFacts = {
  ...{ madeBy: HOSTILE_NAME, notes: [HOSTILE_NAME] },
  models: ["then", "constructor", "del", "3d", "", "模型", HOSTILE_NAME].map((name) => ({
    ...{ name, inputs: HOSTILE_TENSORS, outputs: HOSTILE_TENSORS },
  })),
};

/** What both programs find. */
function checkFound(found: Readonly<Record<string, unknown>>, language: string): void {
  const { refused, ...answers } = found;
  assert.deepEqual(
    answers,
    {
      sums: [6, 0],
      exact: [["9007199254740993", "-9223372036854775808"]],
      text: [['"你好"\n1e5 NaN\\']],
      floats: [["NaN", "Infinity", "-Infinity", "0.5"]],
      none: [],
    },
    language,
  );
  const lines = (refused as readonly (readonly [number, string])[]).map((one) => one.join(" "));
  assert.equal(lines.length, 3, language);
  assert.match(lines[0] ?? "", /^500 .*this model always fails/, language);
  assert.match(lines[1] ?? "", /^400 .*INPUT0/, language);
  assert.match(lines[2] ?? "", /^0 input .INPUT0.: its lists do not have the shape/, language);
}

test("clients in TypeScript and Python ask every model of a server, exactly, and give its words for a refusal", async (t) => {
  await using server = await startV2Server(t, "class");
  const python = await pythonEnv(t, { packages: ["numpy"] });
  if (server === undefined || python === undefined) return;
  await using folder = await createTempDir("slipway-client");
  const target = `http://127.0.0.1:${server.ports.http}`;
  const warnings: string[] = [];
  const session: Session = {
    ...createSession({ environment: process.env, cwd: folder.path }),
    emit: (event) => void (event.kind === "warning" && warnings.push(event.text)),
  };
  const files = { ts: "client.ts", python: "client.py" } as const;
  for (const language of ["ts", "python"] as const) {
    const file = files[language];
    const { text, models } = await makeClient({ target, language, file }, session);
    assert.equal(await readFile(join(folder.path, file), "utf8"), text);
    assert.match(text, new RegExp(`^(?://|#) Made by .slipway client ${language} ${target}`));
    assert.deepEqual(models, [
      ...["add_sub", "classify", "fail", "identity_bytes", "identity_fp32", "identity_int64"],
    ]);
    assert.equal((await makeClient({ target, language }, session)).text, text);
  }
  assert.match(warnings.join(), /Left out: "identity_fp16", whose FP16 cannot be sent in JSON/);
  const [useTs, usePy] = [join(folder.path, "use.ts"), join(folder.path, "use.py")];
  await writeFile(join(folder.path, "package.json"), '{"type":"module"}');
  await writeFile(join(folder.path, "hostile.ts"), writeTypescript(HOSTILE));
  await writeFile(join(folder.path, "hostile.py"), writePython(HOSTILE));
  await writeFile(useTs, USE_TS);
  await writeFile(usePy, USE_PY);
  await run(process.execPath, [TSC, ...STRICT, "", useTs, join(folder.path, "hostile.ts")]).catch(
    (error: unknown) =>
      assert.fail(String((error as { readonly stdout?: string }).stdout ?? error)),
  );
  const { use } = (await import(pathToFileURL(useTs).href)) as {
    readonly use: (url: string) => Promise<Readonly<Record<string, unknown>>>;
  };
  checkFound(await use(target), "ts");
  await run(python.python, ["-W", "error", join(folder.path, "hostile.py")]);
  const { stdout } = await run(python.python, [usePy, target]);
  checkFound(JSON.parse(stdout) as Readonly<Record<string, unknown>>, "python");
});

test("a server without V2, a model that is not there and metadata that is none are told apart; the command prints", async (t) => {
  const documents: Readonly<Record<string, string>> = {
    "/v2/models/none": "{}",
    "/v2/models/odd": '{"inputs":[{"name":"x","datatype":"WORD","shape":[1]}],"outputs":[]}',
    "/v2/models/m":
      '{"inputs":[{"name":"x","datatype":"FP32","shape":["-1"]}],"outputs":[{"name":"y","datatype":"UINT64","shape":[-1]}]}',
  };
  const server = createServer((request, response) => {
    const body = documents[request.url ?? ""];
    request.resume();
    response.writeHead(body === undefined ? 404 : 200).end(body ?? "<html>no</html>");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const target = `http://me:secret@127.0.0.1:${address.port}`;
  const session = createSession({ environment: process.env });
  const make = (model?: string) => makeClient({ target, language: "ts", model }, session);
  await assert.rejects(make(), { code: "UNSUPPORTED", message: /no list of its models/ });
  await assert.rejects(make("far"), { code: "MODEL_NOT_FOUND" });
  for (const name of ["none", "odd"])
    await assert.rejects(make(name), { code: "UNSUPPORTED", message: /no model states tensors/ });
  const user = await packPlace(t, { isBare: true });
  const printed = await user.run(["client", "python", target, "--model", "m"]);
  assert.equal(printed.exitCode, 0, printed.stderr);
  assert.match(printed.stdout, /x: Sequence\[float\], {2}# FP32, \?/);
  assert.ok(!printed.stdout.includes("secret"));
});
