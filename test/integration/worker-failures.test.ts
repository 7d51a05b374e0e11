import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { pythonEnv } from "../support/python-env.ts";
import { MODELS, numbers, rows, startWith, startWorker, text } from "./worker-support.ts";

const ROUGH = "rough.py:Rough";
const [OK, CRASH, HANG, FLOOD, EAT, GARBAGE, FORK, CHILD, SLOW, HUGE_LINE, MEET] = Array.from(
  { length: 11 },
  (_, index) => index,
) as [number, number, number, number, number, number, number, number, number, number, number];

function isAlive(pid: number): boolean {
  try {
    // A process that is dead but not reaped yet still has its entry.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

async function untilDead(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
}

test("only the call that killed its worker fails; the others go on in the next one", async (t) => {
  await using worker = await startWorker(t, { code: ROUGH });
  if (worker === undefined) return;
  const { component } = worker;
  const [pid] = component.pids;
  const answers = await Promise.allSettled(
    Array.from({ length: 100 }, (_, index) =>
      component.call(rows([[index === 30 ? CRASH : OK, index]])),
    ),
  );
  const failed = answers.flatMap((answer, index) =>
    answer.status === "rejected" ? [{ index, code: (answer.reason as { code: string }).code }] : [],
  );
  assert.ok(failed.some(({ index }) => index === 30));
  assert.ok(
    failed.every(({ index, code }) => index <= 30 && code === "WORKER_CRASHED"),
    JSON.stringify(failed),
  );
  assert.notEqual(component.pids[0], pid);
  assert.equal(component.stats.restarts, 1);
});

test("a worker killed from outside while it is idle is replaced", async (t) => {
  const restarted = Promise.withResolvers<void>();
  await using worker = await startWorker(t, {
    code: ROUGH,
    options: { onRestart: () => restarted.resolve() },
  });
  if (worker === undefined) return;
  process.kill(worker.component.pids[0] ?? 0, "SIGKILL");
  await restarted.promise;
  assert.deepEqual(numbers(await worker.component.call(rows([[OK, 5]]))), [OK, 5]);
});

test("a hung call ends by time-out, with its worker; the calls behind it are answered by the next one", async (t) => {
  await using worker = await startWorker(t, { code: ROUGH, server: { timeoutMs: 400 } });
  if (worker === undefined) return;
  const { component } = worker;
  const [hung, ...others] = await Promise.allSettled([
    component.call(rows([[HANG, 0]])),
    ...Array.from({ length: 5 }, (_, index) => component.call(rows([[OK, index]]))),
  ]);
  assert.ok(
    hung.status === "rejected" && (hung.reason as { code: string }).code === "MODEL_TIMEOUT",
  );
  assert.deepEqual(
    others.map(({ status }) => status),
    ["fulfilled", "fulfilled", "fulfilled", "fulfilled", "fulfilled"],
  );
});

test("the time-out counts from the begin of a call, not from its place in the queue", async (t) => {
  await using worker = await startWorker(t, { code: ROUGH, server: { timeoutMs: 300 } });
  if (worker === undefined) return;
  const answers = await Promise.allSettled(
    Array.from({ length: 12 }, () => worker.component.call(rows([[SLOW, 0]]))),
  );
  assert.ok(answers.every(({ status }) => status === "fulfilled"));
});

test("a fast answer does not wait for the slow call behind it", async (t) => {
  await using worker = await startWorker(t, { code: ROUGH });
  if (worker === undefined) return;
  const order: string[] = [];
  const fast = worker.component.call(rows([[OK, 0]])).then(() => order.push("fast"));
  const slow = worker.component.call(rows([[SLOW, 0]])).then(() => order.push("slow"));
  await fast;
  assert.deepEqual(order, ["fast"]);
  await slow;
});

test("several threads run calls at the same time, and one that hangs is still found", async (t) => {
  await using worker = await startWorker(t, {
    code: ROUGH,
    options: { threads: 4 },
    server: { timeoutMs: 400 },
  });
  if (worker === undefined) return;
  const { component } = worker;
  await Promise.all(Array.from({ length: 8 }, () => component.call(rows([[MEET, 4]])))); // each ends only when four are inside
  let isHung = true;
  const hung = component.call(rows([[HANG, 0]])).finally(() => (isHung = false));
  const others: Promise<unknown>[] = [];
  const ask = async (): Promise<void> => {
    while (isHung) await component.call(rows([[OK, 1]])).catch(() => undefined); // may be in the worker when it is ended
  };
  others.push(ask(), ask());
  await assert.rejects(hung, { code: "MODEL_TIMEOUT" });
  await Promise.all(others);
  assert.deepEqual(numbers(await component.call(rows([[OK, 9]]))), [OK, 9]);
});

test("a flood of output neither blocks nor fills the server", async (t) => {
  await using worker = await startWorker(t, { code: ROUGH });
  if (worker === undefined) return;
  assert.deepEqual(numbers(await worker.component.call(rows([[FLOOD, 1]]))), [FLOOD, 1]);
  await worker.component.call(rows([[HUGE_LINE, 1]]));
  assert.ok(worker.lines.length < 60_000, `${worker.lines.length} lines`);
  assert.ok(worker.lines.every(({ text: line }) => line.length <= 8192));
  assert.equal(worker.component.stats.restarts, 0);
});

test("a worker that eats memory is ended at its limit, and says so", async (t) => {
  await using worker = await startWorker(t, {
    code: ROUGH,
    options: { memoryBytes: 200 * 2 ** 20 },
  });
  if (worker === undefined) return;
  await assert.rejects(
    worker.component.call(rows([[EAT, 0]])),
    (error: { code: string; message: string }) => {
      // Either our watch or, for a single large allocation, Python itself.
      return (
        (error.code === "WORKER_CRASHED" && /its limit is 200 MiB/.test(error.message)) ||
        (error.code === "MODEL_FAILED" && /MemoryError/.test(error.message))
      );
    },
  );
  assert.deepEqual(numbers(await worker.component.call(rows([[OK, 1]]))), [OK, 1]);
});

test("garbage on the socket ends the worker, not the server", async (t) => {
  await using worker = await startWorker(t, { code: ROUGH });
  if (worker === undefined) return;
  await assert.rejects(worker.component.call(rows([[GARBAGE, 0]])), {
    code: "WORKER_CRASHED",
    message: /bad frame/,
  });
  assert.deepEqual(numbers(await worker.component.call(rows([[OK, 1]]))), [OK, 1]);
});

test("a fork inside user code does not speak on the parent's socket", async (t) => {
  await using worker = await startWorker(t, { code: ROUGH });
  if (worker === undefined) return;
  assert.deepEqual(numbers(await worker.component.call(rows([[FORK, 2]]))), [FORK, 2]);
  assert.equal(
    (await worker.line(({ text: line }) => line === "in the child")).requestId,
    undefined,
  );
});

test("what user code has started ends with its worker", async (t) => {
  await using worker = await startWorker(t, { code: ROUGH });
  if (worker === undefined) return;
  const [pid = 0] = worker.component.pids;
  await worker.component.call(rows([[CHILD, 0]]));
  const [child = 0] = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1")
    .trim()
    .split(" ")
    .map(Number);
  assert.ok(isAlive(child));
  await worker.component[Symbol.asyncDispose]();
  await untilDead(child);
});

test("a full queue refuses, and what waits is answered", async (t) => {
  await using worker = await startWorker(t, {
    code: ROUGH,
    options: { maxQueue: 4, maxWindow: 2 },
  });
  if (worker === undefined) return;
  const answers = await Promise.allSettled(
    Array.from({ length: 10 }, () => worker.component.call(rows([[SLOW, 0]]))),
  );
  const codes = answers.map((answer) =>
    answer.status === "fulfilled" ? "ok" : (answer.reason as { code: string }).code,
  );
  assert.deepEqual(codes, [
    ...Array.from({ length: 6 }, () => "ok"),
    ...Array.from({ length: 4 }, () => "OVERLOADED"),
  ]);
});

test("a caller that goes frees its place, and its late answer disturbs nobody", async (t) => {
  await using worker = await startWorker(t, { code: ROUGH, options: { maxWindow: 2 } });
  if (worker === undefined) return;
  const abort = new AbortController();
  const reason = new Error("gone");
  const gone = [1, 2, 3, 4].map(() =>
    worker.component.call(rows([[SLOW, 0]]), { signal: abort.signal }),
  );
  abort.abort(reason);
  for (const call of gone) await assert.rejects(call, (error) => error === reason);
  assert.equal(worker.component.stats.queued, 0);
  assert.deepEqual(numbers(await worker.component.call(rows([[OK, 9]]))), [OK, 9]);
});

test("closing answers what is inside and in the queue, then ends the processes", async (t) => {
  await using worker = await startWorker(t, { code: ROUGH, server: { workers: 2 } });
  if (worker === undefined) return;
  const { component } = worker;
  const { pids } = component;
  const calls = Array.from({ length: 12 }, () => component.call(rows([[SLOW, 3]])));
  const closed = component[Symbol.asyncDispose]();
  await assert.rejects(component.call(rows([[OK, 1]])), { code: "MODEL_NOT_READY" });
  for (const answer of await Promise.all(calls)) assert.deepEqual(numbers(answer), [SLOW, 3]);
  await closed;
  assert.equal(pids.length, 2);
  assert.deepEqual(pids.filter(isAlive), []);
});

test("workers end when the server dies, also in the middle of a call", async (t) => {
  const environment = await startWorker(t, { code: ROUGH });
  if (environment === undefined) return;
  await environment.component[Symbol.asyncDispose]();
  const script = `
    import { rows, startWith } from ${JSON.stringify(join(import.meta.dirname, "worker-support.ts"))};
    const { component } = await startWith(process.argv[1], { code: "${ROUGH}" });
    component.call(rows([[${HANG}, 0]]));
    setImmediate(() => setImmediate(() => console.log(component.pids[0])));
    setInterval(() => undefined, 1000);`;
  const python =
    process.env["SLIPWAY_TEST_PYTHON"] ??
    (
      await import("../support/python-env.ts").then(({ pythonEnv }) =>
        pythonEnv(t, { packages: ["numpy"] }),
      )
    )?.python ??
    "";
  const server = spawn(process.execPath, ["--input-type=module", "-e", script, python], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [chunk] = (await once(server.stdout, "data")) as [Buffer];
  const pid = Number(chunk.toString());
  assert.ok(isAlive(pid));
  server.kill("SIGKILL");
  await untilDead(pid);
});

test("a start that fails says why", async (t) => {
  const fails = (code: string) => startWorker(t, { code });
  await assert.rejects(
    fails("rough.py:InitFails"),
    (error: { code: string; message: string; failure: { traceback: string } }) => {
      assert.equal(error.code, "MODEL_LOAD_FAILED");
      assert.equal(error.message, 'load the model "test": RuntimeError: no weights');
      assert.match(
        error.failure.traceback,
        /^Traceback \(most recent call last\):\n {2}File ".*rough\.py", line \d+, in __init__\n/,
      );
      assert.doesNotMatch(error.failure.traceback, /slipway_worker|importlib/);
      return true;
    },
  );
  await assert.rejects(fails("rough.py:LoadExits"), {
    code: "MODEL_LOAD_FAILED",
    message: /exit code 7 before it was ready/,
  });
  await assert.rejects(fails("rough.py:NoSuchClass"), {
    code: "MODEL_LOAD_FAILED",
    message: /class "NoSuchClass" is not in "rough\.py"/,
  });
  await assert.rejects(fails("missing.py:Any"), { code: "MODEL_LOAD_FAILED", message: /missing/ });
  await assert.rejects(fails("broken.py:Any"), {
    code: "MODEL_LOAD_FAILED",
    message: /SyntaxError/,
  });
  await assert.rejects(startWith("/no/such/python", { code: ROUGH }), { code: "RUNTIME_MISSING" });
});

test("the traceback of a failed start is in the log", async () => {
  const lines: string[] = [];
  const { createPythonPredictor } = await import("../../src/serving/runtime/python/index.ts");
  const { MODELS } = await import("./worker-support.ts");
  const start = createPythonPredictor(
    {
      schemaVersion: 1,
      name: "m",
      kind: "class",
      contract: "seldon",
      service: "MODEL",
      codePath: MODELS,
      code: { file: "rough.py", name: "InitFails", language: "python" },
      ports: { http: 0 },
      server: {},
    },
    { onLog: ({ text: line }) => lines.push(line) },
  );
  await assert.rejects(start, { code: "MODEL_LOAD_FAILED" });
  assert.ok(lines.includes("RuntimeError: no weights"), lines.join("\n"));
});

test("an interrupted start leaves no process", async () => {
  const reason = new Error("stop");
  await assert.rejects(
    startWith("/usr/bin/python3", { code: ROUGH, options: { signal: AbortSignal.abort(reason) } }),
    (error) => error === reason,
  );
  const abort = new AbortController();
  const starting = startWith("/usr/bin/python3", {
    code: "rough.py:InitHangs",
    options: { signal: abort.signal, onLog: () => abort.abort(reason) },
  });
  await assert.rejects(starting, (error) => error === reason);
});

test("text of an unknown request id is cut, not refused", async (t) => {
  await using worker = await startWorker(t, { code: "basic.py:Prints" });
  if (worker === undefined) return;
  await worker.component.call({ ...text("x"), requestId: "é".repeat(500) });
  assert.equal(
    (await worker.line(({ text: line }) => line === "answering")).requestId,
    "é".repeat(128),
  );
});

test("a worker that dies while no descriptor is left is started again when there are some", async (t) => {
  const environment = await pythonEnv(t, { packages: ["numpy"] });
  if (environment === undefined) return;
  const child = join(import.meta.dirname, "../support/starved-child.ts");
  const words = [process.execPath, child, MODELS, environment.python];
  const { stdout } = await promisify(execFile)(
    "sh",
    ["-c", 'ulimit -n 96; exec "$@"', "sh", ...words],
    { timeout: 60_000 },
  );
  assert.equal(stdout, "answered 1\n");
});
