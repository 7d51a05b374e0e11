import assert from "node:assert/strict";
import { test } from "node:test";
import { InferenceError } from "../../ground/errors/index.ts";
import { elementsOf } from "../../models/tensor/index.ts";
import {
  answersOf,
  batched,
  isRaw,
  limited,
  ModelRepository,
  tensorOfList,
  traced,
  Tracer,
  TraceSettings,
  type EndedSpan,
  type InferRequest,
  type InferResponse,
  type Predictor,
} from "./index.ts";

/** A predictor whose calls are settled by the test, oldest first. */
class Held implements Predictor {
  readonly calls: InferRequest[] = [];
  readonly #answers: PromiseWithResolvers<InferResponse>[] = [];
  readonly stats = { queued: 0, running: 0, workers: 1, ready: 1, restarts: 0 };
  isEnded = false;

  describe(): ReturnType<Predictor["describe"]> {
    return {
      platform: "test",
      takesTensors: true,
      takesRawBody: true,
      streams: false,
      joinsRows: true,
      wantsHeaders: false,
    };
  }

  async infer(request: InferRequest): Promise<InferResponse> {
    this.calls.push(request);
    const answer = Promise.withResolvers<InferResponse>();
    this.#answers.push(answer);
    return answer.promise;
  }

  /** Answers the oldest call with its inputs, or as `answer` says. */
  async settle(answer: (request: InferRequest) => InferResponse = echo): Promise<void> {
    const at = this.calls.length - this.#answers.length;
    const [held] = this.#answers.splice(0, 1);
    const request = this.calls[at];
    assert.ok(held !== undefined && request !== undefined);
    try {
      held.resolve(answer(request));
    } catch (error) {
      held.reject(error);
    }
    await new Promise((resolve) => setImmediate(resolve)); // those who wait for it go on
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.isEnded = true;
    return Promise.resolve();
  }
}

function echo({ inputs }: InferRequest): InferResponse {
  return { outputs: isRaw(inputs) ? { ...inputs, status: 200 } : inputs };
}

const rows = (...values: number[][]): InferRequest => ({ inputs: [tensorOfList("x", values)] });
const rowsIn = ({ inputs }: InferRequest): number =>
  isRaw(inputs) ? -1 : (inputs[0]?.shape[0] ?? -1);
const values = ({ outputs }: InferResponse): unknown =>
  isRaw(outputs) ? undefined : outputs.map((output) => [...elementsOf(output)].map(Number));

test("a lone request goes on at once; those that come while it runs are joined by rows", async () => {
  const inner = new Held();
  const joined: number[][] = [];
  const predictor = batched(inner, {
    model: "m",
    maxRows: 4,
    maxWaitMs: 0,
    onBatch: (count, requests) => joined.push([count, requests]),
  });
  const answers = [[[1]], [[2], [3]], [[4]], [[5], [6]]].map((table) =>
    predictor.infer(rows(...table)),
  );
  assert.deepEqual(inner.calls.map(rowsIn), [1]);
  await inner.settle();
  assert.deepEqual(inner.calls.map(rowsIn), [1, 3]);
  await inner.settle();
  await inner.settle();
  assert.deepEqual((await Promise.all(answers)).map(values), [[[1]], [[2, 3]], [[4]], [[5, 6]]]);
  assert.deepEqual(joined, [[3, 2]]);
});

const APART: readonly (readonly [what: string, other: InferRequest])[] = [
  ["another name", { inputs: [tensorOfList("y", [[1]])] }],
  ["another datatype", { inputs: [tensorOfList("x", [[1.5]])] }],
  ["other trailing axes", { inputs: [tensorOfList("x", [[1, 2]])] }],
  ["other outputs wanted", { ...rows([1]), outputs: ["x"] }],
  ["other parameters", { ...rows([1]), parameters: { k: 1 } }],
  [
    "two inputs of unequal rows",
    { inputs: [tensorOfList("x", [[1]]), tensorOfList("z", [[1], [2]])] },
  ],
  ["a raw body", { inputs: { contentType: "", bytes: new Uint8Array(1) } }],
];

for (const [what, other] of APART) {
  test(`requests are not joined with ${what}`, async () => {
    const inner = new Held();
    const predictor = batched(inner, { model: "m", maxRows: 8, maxWaitMs: 0 });
    const answers = [
      predictor.infer(rows([0])),
      predictor.infer(rows([1])),
      predictor.infer(other),
    ];
    for (let call = 0; call < 3; call += 1) await inner.settle();
    assert.equal(inner.calls.length, 3);
    await Promise.all(answers);
  });
}

test("only the request at fault fails when a joined call does", async () => {
  const inner = new Held();
  const predictor = batched(inner, { model: "m", maxRows: 8, maxWaitMs: 0 });
  const answers = [[[0]], [[1]], [[-1]]].map((table) => predictor.infer(rows(...table)));
  const refuseNegative = (request: InferRequest): InferResponse => {
    const answer = echo(request);
    if (JSON.stringify(values(answer)).includes("-"))
      throw new InferenceError("MODEL_FAILED", "negative");
    return answer;
  };
  const settled = Promise.allSettled(answers);
  for (let call = 0; call < 4; call += 1) await inner.settle(refuseNegative);
  assert.deepEqual(
    (await settled).map(({ status }) => status),
    ["fulfilled", "fulfilled", "rejected"],
  );
});

test("a model whose outputs have other rows is not joined again", async () => {
  const inner = new Held();
  const predictor = batched(inner, { model: "m", maxRows: 8, maxWaitMs: 0 });
  const sum = (): InferResponse => ({ outputs: [tensorOfList("s", [7])] });
  const first = [1, 2, 3].map((value) => predictor.infer(rows([value])));
  for (let call = 0; call < 4; call += 1) await inner.settle(sum);
  assert.deepEqual((await Promise.all(first)).map(values), [[[7]], [[7]], [[7]]]);
  const again = [1, 2, 3].map((value) => predictor.infer(rows([value])));
  for (let call = 0; call < 3; call += 1) await inner.settle(sum);
  await Promise.all(again);
  assert.deepEqual(inner.calls.map(rowsIn), [1, 2, 1, 1, 1, 1, 1]);
});

test("a request whose caller goes, or whose time is up, leaves the queue", async () => {
  const inner = new Held();
  const predictor = batched(inner, { model: "m", maxRows: 8, maxWaitMs: 0 });
  const controller = new AbortController();
  const first = predictor.infer(rows([0]));
  const gone = predictor.infer({ ...rows([1]), caller: { whileWaiting: () => controller.signal } });
  const late = predictor.infer({ ...rows([2]), caller: { deadlineAt: performance.now() } });
  const stays = predictor.infer(rows([3]));
  const refused = Promise.all([
    assert.rejects(gone, { message: "gone" }),
    assert.rejects(late, { code: "MODEL_TIMEOUT" }),
  ]);
  controller.abort(new Error("gone"));
  await inner.settle();
  await inner.settle();
  await refused;
  assert.deepEqual(
    [values(await first), values(await stays), inner.calls.length],
    [[[0]], [[3]], 2],
  );
});

test("text is joined and split by its elements", async () => {
  const inner = new Held();
  const predictor = batched(inner, { model: "m", maxRows: 8, maxWaitMs: 0 });
  const text = (value: unknown): InferRequest => ({ inputs: [tensorOfList("x", value)] });
  const answers = [text(["a"]), text(["bb", ""]), text(["ccc"])].map((request) =>
    predictor.infer(request),
  );
  await inner.settle();
  await inner.settle();
  const data = (await Promise.all(answers)).map(({ outputs }) =>
    isRaw(outputs) ? "" : Buffer.from(outputs[0]?.data ?? []).toString("hex"),
  );
  assert.deepEqual(data, ["0100000061", "02000000626200000000", "03000000636363"]);
});

test("disposing waits for what is queued", async () => {
  const inner = new Held();
  const predictor = batched(inner, { model: "m", maxRows: 8, maxWaitMs: 0 });
  const answers = [predictor.infer(rows([0])), predictor.infer(rows([1]))];
  const ended = predictor[Symbol.asyncDispose]();
  await inner.settle();
  assert.equal(inner.isEnded, false);
  await inner.settle();
  await Promise.all([ended, ...answers]);
  assert.equal(inner.isEnded, true);
});

test("calls beyond the limit are refused, and let in again afterwards", async () => {
  const inner = new Held();
  const predictor = limited(inner, { model: "m", maxCalls: 1 });
  const first = predictor.infer(rows([0]));
  await assert.rejects(predictor.infer(rows([1])), { code: "OVERLOADED" });
  await inner.settle();
  await first;
  const second = predictor.infer(rows([2]));
  await inner.settle();
  assert.deepEqual(values(await second), [[2]]);
});

test("a call of a trace is a span of it, failed calls too", async () => {
  const spans: EndedSpan[] = [];
  const tracer = new Tracer({
    settings: new TraceSettings({ isOn: true, ratio: 1, count: -1 }),
    followsCaller: true,
    onEnd: (span) => spans.push(span),
  });
  const inner = new Held();
  const predictor = traced(inner, { tracer, model: "m" });
  const trace = tracer.begin(undefined);
  assert.ok(trace !== undefined);
  const answers = [predictor.infer({ ...rows([0]), trace }), predictor.infer(rows([1]))];
  const settled = Promise.allSettled(answers);
  await inner.settle(() => {
    throw new Error("broken");
  });
  await inner.settle();
  await settled;
  assert.deepEqual(
    spans.map(({ name, context, error }) => [name, context.parentId, error]),
    [["model infer", trace.spanId, "broken"]],
  );
  assert.equal(inner.calls[0]?.trace?.parentId, trace.spanId);
});

test("any predictor streams: one that cannot gives its one answer", async () => {
  const inner = new Held();
  const answers = Array.fromAsync(answersOf(inner, rows([1])));
  await new Promise((resolve) => setImmediate(resolve));
  await inner.settle();
  assert.deepEqual((await answers).map(values), [[[1]]]);
});

test("a repository finds models by name and version, loads, swaps and unloads them", async () => {
  const made: Held[] = [];
  const load = async (): Promise<Predictor> => {
    const held = new Held();
    made.push(held);
    return held;
  };
  await using models = new ModelRepository();
  for (const version of ["10", "2", "canary"]) models.add({ name: "m", version, load });
  models.add({ name: "other", version: "1", load });
  assert.deepEqual(
    models.versions("m").map(({ version }) => version),
    ["2", "10", "canary"],
  );
  assert.equal(models.model().name, "m");
  assert.throws(() => models.model("none"), { code: "MODEL_NOT_FOUND" });
  assert.throws(() => models.model("m", "3"), { code: "MODEL_NOT_FOUND", message: /version "3"/ });
  assert.throws(() => models.model("m", "2").predictor, { code: "MODEL_NOT_READY" });
  await Promise.all([models.load("m", "2"), models.load("m", "2")]);
  assert.equal(made.length, 1);
  assert.equal(models.model("m").version, "2");
  await models.load("m", "2");
  assert.deepEqual(
    [made.length, made[0]?.isEnded, models.model("m").predictor === made[1]],
    [2, true, true],
  );
  await models.unload("m", "2");
  assert.deepEqual([made[1]?.isEnded, models.model("m", "2").state], [true, "unloaded"]);
});

test("a model that does not load says why; one that is in use goes on", async () => {
  let isBroken = true;
  const held = new Held();
  await using models = new ModelRepository();
  const model = models.add({
    name: "m",
    version: "1",
    load: async () => {
      if (isBroken) throw new InferenceError("MODEL_LOAD_FAILED", "no such file");
      return held;
    },
  });
  await assert.rejects(models.load("m"), { code: "MODEL_LOAD_FAILED" });
  assert.deepEqual([model.state, model.reason, models.isReady], ["failed", "no such file", false]);
  isBroken = false;
  await models.load("m");
  isBroken = true;
  await assert.rejects(models.load("m"));
  assert.deepEqual([model.state, model.predictor === held], ["ready", true]);
  models.drain();
  assert.deepEqual([model.state, model.isReady], ["stopping", false]);
});

test("the time to try again grows with what waits and with the time of a call", async () => {
  await using models = new ModelRepository();
  const stats = { queued: 0, running: 0, workers: 2, ready: 2, restarts: 0 };
  const predictor = Object.assign(new Held(), { stats });
  const model = models.add({ name: "m", version: "1", load: async () => predictor });
  await models.load("m");
  assert.equal(model.retryAfterSeconds, 1);
  Object.assign(stats, { queued: 100, running: 2, callMs: 100 });
  assert.equal(model.retryAfterSeconds, 6);
  Object.assign(stats, { callMs: 60_000 });
  assert.equal(model.retryAfterSeconds, 60);
});

test("integers up to 64 bits are exact, with a sign or without, and beyond that refused", () => {
  const wide = tensorOfList("x", [[2n ** 64n - 1n, 1]]);
  assert.deepEqual([wide.datatype, [...elementsOf(wide)]], ["UINT64", [2n ** 64n - 1n, 1n]]);
  const signed = tensorOfList("x", [-(2n ** 63n), 1]);
  assert.deepEqual([signed.datatype, [...elementsOf(signed)]], ["INT64", [-(2n ** 63n), 1n]]);
  for (const list of [[2n ** 64n], [-1, 2n ** 63n], [[1], [1, 2]], [1, "a"], [[1], 1]])
    assert.throws(() => tensorOfList("x", list), { code: "TENSOR_INVALID", tensor: "x" });
});
