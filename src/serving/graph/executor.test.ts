import assert from "node:assert/strict";
import { test } from "node:test";
import { ToolError } from "../../ground/errors/index.ts";
import type { GraphNode } from "../../models/description/index.ts";
import type { GraphAnswer, GraphCaller, NodeCall, NodePeer } from "./contracts.ts";
import { GraphExecutor, type ExecutorOptions } from "./executor.ts";

const CALLER: GraphCaller = { requestId: "r1", headers: {} };

type NodeParts = Partial<Omit<GraphNode, "name" | "children">>;

function node(name: string, parts: NodeParts = {}, children: readonly GraphNode[] = []): GraphNode {
  return { name, methods: [], parameters: [], env: {}, children, ...parts };
}

function json(value: unknown, status = 200): GraphAnswer {
  return { status, contentType: "application/json", body: Buffer.from(JSON.stringify(value)) };
}

type Answers = Readonly<Record<string, (call: NodeCall) => GraphAnswer | Promise<GraphAnswer>>>;

/** Peers that answer by name, and the calls that they got, in order. */
function peersOf(answers: Answers): {
  readonly peers: ReadonlyMap<string, NodePeer>;
  readonly calls: string[];
} {
  const calls: string[] = [];
  const peers = Object.entries(answers).map(
    ([name, answer]) =>
      [
        name,
        {
          isReady: async () => true,
          call: async (call: NodeCall) => {
            calls.push(`${name} ${call.method} ${call.message.body.toString()}`);
            return answer(call);
          },
        },
      ] as const,
  );
  return { peers: new Map(peers), calls };
}

async function predict(
  root: GraphNode,
  answers: Answers,
  options: Partial<ExecutorOptions> = {},
): Promise<{ readonly answer: GraphAnswer; readonly calls: string[]; readonly body: unknown }> {
  const { peers, calls } = peersOf(answers);
  const executor = new GraphExecutor({ root, peers, injectsRouting: false, ...options });
  const answer = await executor.predict(json({ meta: {}, strData: "in" }), CALLER);
  return { answer, calls, body: JSON.parse(answer.body.toString()) };
}

const MODEL: NodeParts = { type: "MODEL" };
const ROUTER: NodeParts = { type: "ROUTER" };
const echo = (call: NodeCall): GraphAnswer => ({ ...call.message, status: 200 });
const toBranch = (branch: number) => (): GraphAnswer => json({ data: { ndarray: [[branch]] } });

test("the answer of a model is what its child gets", async () => {
  const root = node("a", MODEL, [node("b", MODEL)]);
  const { calls, body } = await predict(root, { a: () => json(1), b: () => json(2) });
  assert.deepEqual(calls, ['a predict {"meta":{},"strData":"in"}', "b predict 1"]);
  assert.equal(body, 2);
});

test("an output transformer is called on the way back", async () => {
  const root = node("out", { type: "OUTPUT_TRANSFORMER" }, [
    node("in", { type: "TRANSFORMER" }, [node("m", MODEL)]),
  ]);
  const { calls } = await predict(root, { out: echo, in: () => json(1), m: () => json(2) });
  assert.deepEqual(calls.slice(1), ["m predict 1", "out transform-output 2"]);
  assert.match(calls[0] ?? "", /^in transform-input/);
});

test("a method comes before the type on the way in", async () => {
  const root = node("m", { type: "MODEL", methods: ["TRANSFORM_INPUT"] });
  const { calls } = await predict(root, { m: echo });
  assert.match(calls.join(), /^m transform-input/);
});

test("a router's branch is the only one that is called", async () => {
  const root = node("r", ROUTER, [node("a", MODEL), node("b", MODEL)]);
  const { calls, body } = await predict(root, { r: toBranch(1), a: echo, b: () => json("b") });
  assert.deepEqual(
    calls.map((call) => call.split(" ", 2).join(" ")),
    ["r route", "b predict"],
  );
  assert.equal(body, "b");
});

test("a branch of -1 asks all and takes the first answer", async () => {
  const root = node("r", ROUTER, [node("a", MODEL), node("b", MODEL)]);
  const { calls, body } = await predict(root, {
    r: toBranch(-1),
    a: () => json("a"),
    b: () => json("b"),
  });
  assert.equal(calls.length, 3);
  assert.equal(body, "a");
});

test("a branch of -2 skips the children, and not the output transformer above", async () => {
  const root = node("out", { type: "OUTPUT_TRANSFORMER" }, [node("r", ROUTER, [node("a", MODEL)])]);
  const { calls } = await predict(root, { out: echo, r: toBranch(-2), a: echo });
  assert.deepEqual(
    calls.map((call) => call.split(" ", 2).join(" ")),
    ["r route", "out transform-output"],
  );
});

for (const branch of [2, 7, -3]) {
  test(`a branch of ${branch} of two is an error, and the next request is answered`, async () => {
    const root = node("r", ROUTER, [node("a", MODEL), node("b", MODEL)]);
    let next = branch;
    const { peers } = peersOf({ r: () => toBranch(next)(), a: echo, b: echo });
    const executor = new GraphExecutor({ root, peers, injectsRouting: false });
    const wrong = await executor.predict(json(1), CALLER);
    assert.equal(wrong.status, 500);
    assert.match(wrong.body.toString(), /"code":500.*2 children.*FAILURE/);
    next = 0;
    assert.equal((await executor.predict(json(1), CALLER)).status, 200);
  });
}

test("a combiner gets the answers of its children in their order, whoever is first", async () => {
  const root = node("c", { type: "COMBINER" }, [node("slow", MODEL), node("fast", MODEL)]);
  const gate = Promise.withResolvers<GraphAnswer>();
  const { calls, body } = await predict(root, {
    c: echo,
    slow: () => gate.promise,
    fast: () => {
      gate.resolve(json("slow"));
      return json("fast");
    },
  });
  assert.deepEqual(body, ["slow", "fast"]);
  assert.equal(calls.length, 3);
});

test("of two errors that of the first child is answered, as it is", async () => {
  const root = node("c", { type: "COMBINER" }, [node("a", MODEL), node("b", MODEL)]);
  const { answer, calls } = await predict(root, {
    c: echo,
    a: async () => json("a is wrong", 418),
    b: () => json("b is wrong", 400),
  });
  assert.equal(answer.status, 418);
  assert.equal(answer.body.toString(), '"a is wrong"');
  assert.equal(calls.length, 2);
});

test("the error of a router keeps its status and loses its body", async () => {
  const root = node("r", ROUTER, [node("a", MODEL)]);
  const { answer, calls } = await predict(root, { r: () => json("secret", 409), a: echo });
  assert.equal(answer.status, 409);
  assert.match(answer.body.toString(), /"code":500,.*r\/route status code 409.*FAILURE/);
  assert.equal(calls.length, 1);
});

test("a node that does not answer is an error, and our own bugs keep their text", async () => {
  const told: unknown[] = [];
  const { body } = await predict(
    node("m", MODEL),
    { m: () => Promise.reject(new ToolError("TIMEOUT", "call m: it hangs")) },
    { onFailure: (error) => told.push(error) },
  );
  assert.deepEqual(body, { status: { code: 500, info: "call m: it hangs", status: "FAILURE" } });
  const bug = await predict(node("m", MODEL), { m: () => Promise.reject(new Error("inside")) });
  assert.deepEqual(bug.body, { status: { code: 500, info: "internal error", status: "FAILURE" } });
  assert.equal(told.length, 1);
});

test("a call that takes too long is told so, and the answer does not wait for it", async () => {
  const never = new Promise<GraphAnswer>(() => undefined);
  let signal: AbortSignal | undefined;
  const { answer } = await predict(
    node("m", MODEL),
    { m: (call) => ((signal = call.signal), never) },
    { timeoutMs: 5 },
  );
  assert.equal(answer.status, 500);
  assert.match(answer.body.toString(), /no answer within 5 ms/);
  assert.equal(signal?.aborted, true);
});

test("the routing of all branches goes into the meta of the answer", async () => {
  const root = node("r", ROUTER, [
    node("a", MODEL),
    node("c", { type: "COMBINER" }, [node("b", MODEL), node("d", MODEL)]),
  ]);
  const meta = (): GraphAnswer => json({ meta: { tags: { t: 1 } }, strData: "x" });
  const { body } = await predict(
    root,
    { r: toBranch(1), a: meta, b: meta, c: meta, d: meta },
    { injectsRouting: true },
  );
  assert.deepEqual(body, {
    meta: { tags: { t: 1 }, routing: { r: 1, b: -1, d: -1, c: -1 } },
    strData: "x",
  });
});

test("an answer without meta gets no routing", async () => {
  const { body } = await predict(
    node("m", MODEL),
    { m: () => json({ strData: "x" }) },
    { injectsRouting: true },
  );
  assert.deepEqual(body, { strData: "x" });
});

for (const [drawn, child] of [
  [0.29, "a"],
  [0.3, "b"],
  [0.99, "b"],
] as const) {
  test(`an A/B test of 0.3 that draws ${drawn} takes "${child}"`, async () => {
    const parameters = [{ name: "ratioA", value: "0.3", type: "FLOAT" }];
    const root = node("ab", { implementation: "RANDOM_ABTEST", parameters }, [
      node("a", MODEL),
      node("b", MODEL),
    ]);
    const { body } = await predict(
      root,
      { a: () => json("a"), b: () => json("b") },
      { random: () => drawn },
    );
    assert.equal(body, child);
  });
}

async function feedback(
  root: GraphNode,
  message: unknown,
  answers: Answers,
): Promise<{ readonly answer: GraphAnswer; readonly called: readonly string[] }> {
  const { peers, calls } = peersOf(answers);
  const executor = new GraphExecutor({ root, peers, injectsRouting: false });
  const answer = await executor.feedback(json(message), CALLER);
  return { answer, called: calls.map((call) => call.split(" ", 1).join()) };
}

const FORK = node("r", ROUTER, [node("a", MODEL), node("b", MODEL)]);

for (const [routing, called] of [
  [{ r: 0 }, ["a", "r"]],
  [{ r: "1" }, ["b", "r"]],
  [{ r: -1 }, ["a", "b", "r"]],
  [{ other: 1 }, ["a", "b", "r"]],
  [{ r: "x" }, ["a", "b", "r"]],
] as const) {
  test(`feedback with the routing ${JSON.stringify(routing)} goes to ${called.join(", ")}`, async () => {
    const message = { reward: 1, response: { meta: { routing } } };
    const found = await feedback(FORK, message, { r: echo, a: echo, b: echo });
    assert.deepEqual(found.called, called);
  });
}

for (const branch of [2, -2, 1e300]) {
  test(`feedback about the branch ${branch} of two is refused or goes to all, and nothing dies`, async () => {
    const message = { response: { meta: { routing: { r: branch } } } };
    const { answer } = await feedback(FORK, message, { r: echo, a: echo, b: echo });
    assert.equal(answer.status, Number.isSafeInteger(branch) ? 500 : 200);
  });
}

test("the error of a child ends feedback before its parent", async () => {
  const found = await feedback(FORK, {}, { r: echo, a: echo, b: () => json("no", 400) });
  assert.equal(found.answer.status, 400);
  assert.deepEqual(found.called, ["a", "b"]);
});

test("feedback that nobody takes is the answer", async () => {
  const { answer } = await feedback(node("t", { type: "TRANSFORMER" }), { reward: 1 }, {});
  assert.equal(answer.body.toString(), '{"reward":1}');
});

test("a node that nobody runs is an error of the request that needs it", async () => {
  const { answer } = await predict(node("m", MODEL), {});
  assert.match(answer.body.toString(), /nothing runs under this name/);
});
