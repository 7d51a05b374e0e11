import assert from "node:assert/strict";
import { test } from "node:test";
import { ComponentError } from "../../src/serving/plane/index.ts";
import { json, numbers, rows, startWith, startWorker, text } from "./worker-support.ts";

const ECHO = { code: "basic.py:Identity" };

test("a class answers, with default names, and says what it has", async (t) => {
  await using worker = await startWorker(t, ECHO);
  if (worker === undefined) return;
  const response = await worker.component.call(
    rows([
      [1, 2.5],
      [3, 4],
    ]),
  );
  assert.deepEqual(numbers(response), [1, 2.5, 3, 4]);
  assert.deepEqual(response.message.names, ["t:0", "t:1"]);
  assert.equal(response.isRaw, false);
  assert.deepEqual(worker.component.facts.methods, ["predict"]);
});

test("every payload kind comes back", async (t) => {
  await using worker = await startWorker(t, ECHO);
  if (worker === undefined) return;
  const { component } = worker;
  assert.deepEqual((await component.call(text("模型\u0000"))).message.payload, {
    kind: "text",
    text: "模型\u0000",
  });
  const bytes = Uint8Array.of(0, 1, 255);
  const echoed = await component.call({
    method: "predict",
    messages: [{ payload: { kind: "bytes", bytes }, names: [] }],
  });
  assert.deepEqual(echoed.message.payload, { kind: "bytes", bytes: Buffer.from(bytes) });
  const jsonEcho = await component.call({
    method: "predict",
    messages: [
      { payload: { kind: "json", json: '{"b":1.0,"a":[null,18446744073709551616]}' }, names: [] },
    ],
  });
  assert.deepEqual(jsonEcho.message.payload, {
    kind: "json",
    json: '{"a":[null,18446744073709551616],"b":1.0}',
  });
  const any = Buffer.from("0a03742e78120200ff", "hex"); // google.protobuf.Any{type_url: "t.x", value: 00ff}
  const anyEcho = await component.call({
    method: "predict",
    transport: "grpc",
    messages: [{ payload: { kind: "any", bytes: any }, names: [] }],
  });
  assert.deepEqual(anyEcho.message.payload, { kind: "any", bytes: any });
  const mixed = await component.call({
    method: "predict",
    messages: [{ payload: { kind: "array", json: '[["a",1,2.5]]' }, names: [] }],
  });
  assert.deepEqual(mixed.message, {
    payload: { kind: "array", json: '[["a","1","2.5"]]' },
    names: ["t:0", "t:1", "t:2"],
  });
});

test("a thousand calls at once over two workers each get their own answer", async (t) => {
  await using worker = await startWorker(t, { ...ECHO, server: { workers: 2 } });
  if (worker === undefined) return;
  const { component } = worker;
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, index) => component.call(rows([[index, index / 2]]))),
  );
  for (const [index, answer] of answers.entries())
    assert.deepEqual(numbers(answer), [index, index / 2]);
  const { callMs = 0, ...counts } = component.stats;
  assert.deepEqual(counts, { queued: 0, running: 0, workers: 2, ready: 2, restarts: 0 });
  assert.ok(callMs > 0, "the time of a call is learnt");
});

test("parameters come typed, and a bad one stops the start", async (t) => {
  const parameters = [
    { name: "count", value: "3", type: "INT" },
    { name: "rate", value: "0.5", type: "FLOAT" },
    { name: "label", value: "5", type: "STRING" },
    { name: "flag", value: "Yes", type: "BOOL" },
  ];
  await using worker = await startWorker(t, {
    code: "basic.py:Parameters",
    options: { parameters },
  });
  if (worker === undefined) return;
  assert.deepEqual(json(await worker.component.call(text("x"))), {
    count: 3,
    rate: 0.5,
    label: "5",
    flag: true,
  });
  const bad = startWorker(t, {
    code: "basic.py:Parameters",
    options: { parameters: [{ name: "count", value: "three", type: "INT" }] },
  });
  await assert.rejects(bad, {
    code: "MODEL_LOAD_FAILED",
    message: /SeldonMicroserviceException: Bad model parameter: count with value three/,
  });
});

test("what user code prints and logs carries the id of its request", async (t) => {
  await using worker = await startWorker(t, { code: "basic.py:Prints" });
  if (worker === undefined) return;
  await worker.component.call(rows([[1]], "puid-7"));
  const made = await worker.line(({ text: line }) => line === "made");
  assert.deepEqual(made, { level: "stdout", text: "made", worker: 0 });
  assert.equal((await worker.line(({ text: line }) => line === "answering")).requestId, "puid-7");
  assert.deepEqual(await worker.line(({ level }) => level === "stderr"), {
    level: "stderr",
    text: "no newline",
    worker: 0,
    requestId: "puid-7",
  });
  assert.deepEqual(await worker.line(({ level }) => level === "warn"), {
    level: "warn",
    text: "mine: careful",
    worker: 0,
    requestId: "puid-7",
  });
  assert.equal((await worker.line(({ text: line }) => line === "from C")).level, "stdout");
});

test("an exception of user code is told apart from a crash, with the user's frames only", async (t) => {
  await using worker = await startWorker(t, { code: "basic.py:Raises" });
  if (worker === undefined) return;
  const { component } = worker;
  const error = await component.call(text("x")).catch((caught: unknown) => caught);
  assert.ok(error instanceof ComponentError);
  assert.equal(error.code, "MODEL_FAILED");
  assert.equal(error.message, `call the model "test": KeyError: 'lost\\x1b[31m'`);
  const { traceback, ...failure } = error.failure;
  assert.deepEqual(failure, {
    type: "KeyError",
    message: "'lost\\x1b[31m'",
    status: 500,
    reason: "MICROSERVICE_INTERNAL_ERROR",
    isRefusal: false,
  });
  assert.match(traceback, /basic\.py", line \d+, in predict\n/);
  assert.doesNotMatch(traceback, /slipway_worker/);
  await assert.rejects(component.call(text("exit")), {
    code: "MODEL_FAILED",
    message: /SystemExit/,
  });
  await assert.rejects(component.call(text("deep")), {
    code: "MODEL_FAILED",
    message: /RecursionError/,
  });
  assert.equal(component.stats.restarts, 0);
});

test("a raw method gets the whole message, and the plain one when it declines", async (t) => {
  await using worker = await startWorker(t, { code: "basic.py:Raw" });
  if (worker === undefined) return;
  const { component } = worker;
  assert.deepEqual(component.facts.wantsWhole, { rest: ["predict"], grpc: ["predict"] });
  const whole = (message: object) =>
    component.call({
      method: "predict",
      messages: [{ payload: { kind: "raw", json: JSON.stringify(message) }, names: [] }],
    });
  const raw = await whole({ jsonData: 1, meta: {} });
  assert.equal(raw.isRaw, true);
  assert.deepEqual(raw.message.payload, { kind: "raw", json: '{"got":["jsonData","meta"],"n":1}' });
  const plain = await whole({ strData: "decline", meta: { puid: "p" } });
  assert.equal(plain.isRaw, false);
  assert.deepEqual(json(plain), { plain: "decline", meta: { puid: "p" } });
});

test("waiting predictions are joined, and each gets its own rows back", async (t) => {
  await using worker = await startWorker(t, { code: "basic.py:Rows", server: { maxBatch: 8 } });
  if (worker === undefined) return;
  const { component } = worker;
  assert.deepEqual(numbers(await component.call(rows([[7]]))), [1, 7]);
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) => component.call(rows([[index]]))),
  );
  const sizes = answers.map((answer, index) => {
    const [size, own, ...others] = numbers(answer);
    assert.deepEqual([own, others], [index, []]);
    return size ?? 0;
  });
  assert.ok(Math.max(...sizes) > 1 && Math.max(...sizes) <= 8, `batches of ${Math.max(...sizes)}`);
});

test("a joined call that goes wrong is done again one by one, and only the guilty request fails", async (t) => {
  await using worker = await startWorker(t, { code: "basic.py:RowsFail", server: { maxBatch: 8 } });
  if (worker === undefined) return;
  const { component } = worker;
  const answers = await Promise.allSettled(
    Array.from({ length: 50 }, (_, index) => component.call(rows([[index === 20 ? -1 : index]]))),
  );
  assert.deepEqual(
    answers.flatMap(({ status }, index) => (status === "rejected" ? [index] : [])),
    [20],
  );
});

test("without numpy arrays are lists, and everything else stays", async () => {
  await using worker = await startWith("/usr/bin/python3", ECHO);
  const { component } = worker;
  const response = await component.call(
    rows([
      [1, 2.5],
      [3, 4],
    ]),
  );
  assert.deepEqual(numbers(response), [1, 2.5, 3, 4]);
  assert.deepEqual(response.message.names, ["t:0", "t:1"]);
  const mixed = await component.call({
    method: "predict",
    messages: [{ payload: { kind: "array", json: '[["a",1],[null]]' }, names: [] }],
  });
  assert.deepEqual(mixed.message.payload, { kind: "array", json: '[["a",1],[null]]' });
});
