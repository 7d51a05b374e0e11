import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { ModelDescription } from "../../src/models/description/index.ts";
import {
  createPythonPredictor,
  planWorker,
  WorkerAhead,
} from "../../src/serving/runtime/python/index.ts";
import { pythonEnv } from "../support/python-env.ts";
import { MODELS, numbers, rows } from "./worker-support.ts";

const describeClass = (executable: string, name: string): ModelDescription => ({
  ...{ schemaVersion: 1, name: "test", kind: "class", contract: "seldon", service: "MODEL" },
  codePath: MODELS,
  code: { file: "basic.py", name, language: "python" },
  ...{ ports: { http: 0 }, server: {}, python: { executable, path: [] } },
});

/** A class whose worker writes its number once it loads, whole. */
const MARKED = `import os

with open(FILE + ".part", "w") as file:
    file.write(str(os.getpid()))
os.rename(FILE + ".part", FILE)


class Marked:
    def predict(self, X, names):
        return X
`;

async function contentOf(path: string): Promise<string> {
  while (!existsSync(path)) await turn();
  return readFile(path, "utf8");
}

test("a worker that was started before the server becomes its first one, and what it printed is told", async (t) => {
  const environment = await pythonEnv(t, { packages: ["numpy"] });
  if (environment === undefined) return;
  const description = describeClass(environment.python, "Identity");
  using ahead = new WorkerAhead(planWorker(description, {}, 0));
  const lines: string[] = [];
  const onLog = ({ text }: { readonly text: string }): void => void lines.push(text);
  await using component = await createPythonPredictor(description, { ahead, onLog });
  assert.deepEqual(numbers(await component.call(rows([[1, 2]]))), [1, 2]);
  assert.equal(
    ahead.take(planWorker(description, {}, 0), () => undefined),
    undefined,
    "it is given once",
  );
  assert.equal(component.pids.length, 1);
});

test("a worker that was started for something else is not taken, and ends", async (t) => {
  const environment = await pythonEnv(t, { packages: ["numpy"] });
  if (environment === undefined) return;
  const plan = planWorker(describeClass(environment.python, "Identity"), {}, 0);
  const other = planWorker(describeClass(environment.python, "Identity"), { logLevel: "DEBUG" }, 0);
  const ahead = new WorkerAhead(plan);
  assert.equal(
    ahead.take(other, () => undefined),
    undefined,
  );
  const { process: child, arena } = ahead.take(plan, () => undefined) ?? assert.fail("it fits");
  child.signal("SIGKILL");
  assert.equal((await child.ended).signal, "SIGKILL");
  arena?.close();
});

test("a worker that nobody wants ends with who started it", async (t) => {
  const environment = await pythonEnv(t, { packages: ["numpy"] });
  if (environment === undefined) return;
  const marker = join(await mkdtemp(join(tmpdir(), "slipway-ahead-")), "pid");
  t.after(() => rm(dirname(marker), { recursive: true }));
  await writeFile(
    `${dirname(marker)}/Marked.py`,
    MARKED.replaceAll("FILE", JSON.stringify(marker)),
  );
  const description = {
    ...describeClass(environment.python, "Marked"),
    codePath: dirname(marker),
    code: { file: "Marked.py", name: "Marked", language: "python" as const },
  };
  const ahead = new WorkerAhead(planWorker(description, {}, 0));
  const pid = Number(await contentOf(marker));
  assert.ok(existsSync(`/proc/${pid}`));
  ahead[Symbol.dispose]();
  while (existsSync(`/proc/${pid}`)) await turn();
});
