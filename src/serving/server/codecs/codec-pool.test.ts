import assert from "node:assert/strict";
import { test } from "node:test";
import type { CodecInput } from "../../protocols/index.ts";
import { CodecPool } from "./codec-pool.ts";
import { packed } from "./codec-messages.ts";

const READ = { parse: { method: "predict", isWhole: false, isStrict: false } } as const;

function message(text: string): CodecInput<"seldon-read"> {
  return {
    body: Buffer.from(text),
    query: "",
    contentType: "application/json",
    settings: { ...READ, isPassthrough: false, unitId: undefined },
  };
}

test("a thread reads as this one does, and its refusals say the same", async () => {
  using pool = new CodecPool();
  const call = await pool.run("seldon-read", message('{"data":{"ndarray":[[1,2.5]]}}'));
  const [first] = call.request.messages;
  assert.deepEqual(first?.payload.kind === "tensor" && first.payload.tensor.shape, [1, 2]);
  await assert.rejects(pool.run("seldon-read", message("{")), {
    name: "SeldonError",
    status: 400,
    info: "Can't find JSON in data",
  });
  await assert.rejects(
    pool.run("v2-read", { body: Buffer.from('{"inputs":[]}'), headerBytes: 13 }),
    { name: "InferenceError", code: "REQUEST_INVALID", hint: /inputs/ },
  );
});

test("a thread reads protobuf as this one does, and says of bytes that are none what this one says", async () => {
  using pool = new CodecPool();
  const message = Buffer.from("0a016d2a0c0a0178120555494e54381800", "hex"); // model "m", input "x" of no UINT8
  const { model, inputs } = await pool.run("v2-proto-read", message);
  assert.deepEqual([model, inputs.map(({ name, shape }) => [name, shape])], ["m", [["x", [0]]]]);
  await assert.rejects(pool.run("v2-proto-read", Buffer.of(0x0a, 5)), {
    name: "WireError",
    code: "REQUEST_INVALID",
    message: /^read the protobuf message: /,
  });
});

test("threads are started as they are needed, and ended when they have nothing to do", async () => {
  using pool = new CodecPool({ maxThreads: 2, idleMs: 1 });
  assert.equal(pool.size, 0);
  const outputs = [{ name: "y", datatype: "INT8", shape: [1], data: Uint8Array.of(7) }] as const;
  const written = await Promise.all(
    Array.from({ length: 5 }, () => pool.run("v1-write", { form: "rows", outputs })),
  );
  for (const bytes of written) assert.equal(Buffer.from(bytes).toString(), '{"predictions":[7]}');
  while (pool.size > 0) await new Promise(setImmediate);
  assert.equal((await pool.run("v1-write", { form: "columns", outputs })).byteLength, 15);
});

test("what waits when the pool is closed is told so", async () => {
  const pool = new CodecPool({ maxThreads: 1 });
  const waiting = [pool.run("seldon-read", message("{}")), pool.run("seldon-read", message("{}"))];
  pool[Symbol.dispose]();
  for (const one of waiting) await assert.rejects(one, { code: "MODEL_NOT_READY" });
});

test("memory that a view fills alone is handed over, any other is copied", () => {
  const large = new Uint8Array(32_768);
  const view = new Uint8Array(65_536).subarray(0, 32_768);
  const { message: sent, transfer } = packed({ a: [{ large }], view }, "given");
  assert.deepEqual(transfer, [large.buffer]);
  assert.equal(sent.view.buffer.byteLength, 32_768);
  assert.deepEqual(packed({ large }, "kept").transfer, []);
});
