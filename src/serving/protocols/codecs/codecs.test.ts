import assert from "node:assert/strict";
import { test } from "node:test";
import { InferenceError, ToolError } from "../../../ground/errors/index.ts";
import { WireError } from "../../../ground/wire/index.ts";
import { JsonNumber } from "../json/index.ts";
import { SeldonError, type SeldonCall } from "../seldon/index.ts";
import { postError, receiveError, type PostedError } from "./codec-errors.ts";
import { withNumbers } from "./posted-nodes.ts";
import { CODECS } from "./table.ts";

/** An error as another thread gets it. */
const sent = (error: unknown): Error =>
  receiveError(structuredClone(postError(error)) satisfies PostedError);

test("an error says in another thread what it said in its own", () => {
  const seldon = sent(new SeldonError(400, "no data", "MICROSERVICE_BAD_DATA"));
  assert.ok(seldon instanceof SeldonError);
  assert.deepEqual(
    [seldon.status, seldon.info, seldon.reason],
    [400, "no data", "MICROSERVICE_BAD_DATA"],
  );
  const wire = sent(new WireError("it ends"));
  assert.ok(wire instanceof WireError);
  assert.equal(wire.why, "it ends");
  const inference = sent(
    new InferenceError("TENSOR_INVALID", "read x", {
      tensor: "x",
      hint: "send y",
      expected: "FP32",
    }),
  );
  assert.ok(inference instanceof InferenceError);
  const { code, message, hint, tensor, expected } = inference;
  assert.deepEqual(
    [code, message, hint, tensor, expected],
    ["TENSOR_INVALID", "read x", "send y", "x", "FP32"],
  );
  const tool = sent(new ToolError("LIMIT_EXCEEDED", "too much"));
  assert.deepEqual([(tool as ToolError).code, tool.message], ["LIMIT_EXCEEDED", "too much"]);
});

test("a bug keeps its message and its stack, whatever was thrown", () => {
  const bug = new TypeError("x is not a function");
  assert.deepEqual([sent(bug).message, sent(bug).stack], [bug.message, bug.stack]);
  const bare = new Error("no stack");
  delete bare.stack;
  assert.equal(sent(bare).message, "no stack");
  assert.equal(sent("a text").message, "a text");
});

test("a kind of error that nobody posts comes back as it is", () => {
  const odd = { kind: "odd" };
  assert.equal(receiveError(odd as never), odd);
});

test("numbers of a call's meta are numbers again behind a thread", () => {
  const number = new JsonNumber("1.0", true);
  const meta = new Map<string, unknown>([
    ["one", number],
    ["list", [number, null, "text", true]],
    ["object", new Map([["two", number]])],
  ]);
  const call = {
    request: { method: "predict", messages: [] },
    context: { metas: [meta], puid: new Map([["id", number]]) },
  } as unknown as SeldonCall;
  assert.deepEqual(withNumbers(structuredClone(call)), call);
  const context = { metas: call.context.metas };
  assert.deepEqual(withNumbers(structuredClone({ ...call, context })), { ...call, context });
});

test("each codec reads its own form and writes it again", () => {
  const outputs = [{ name: "y", datatype: "INT8", shape: [2], data: Uint8Array.of(7, 8) }] as const;
  assert.equal(
    Buffer.from(CODECS["v1-write"]({ form: "rows", outputs })).toString(),
    '{"predictions":[7,8]}',
  );
  const predict = CODECS["v1-read"]({ body: Buffer.from('{"instances":[1,2]}'), specs: undefined });
  assert.equal(predict.form, "rows");
  const body = Buffer.from('{"inputs":[{"name":"x","datatype":"INT8","shape":[1],"data":[3]}]}');
  const infer = CODECS["v2-read"]({ body, headerBytes: body.byteLength });
  assert.deepEqual(
    infer.inputs.map(({ name }) => name),
    ["x"],
  );
  const settings = {
    parse: { method: "predict", isWhole: false, isStrict: false },
    isPassthrough: false,
    unitId: undefined,
  } as const;
  const message = { query: "", contentType: "application/json", settings };
  const call = CODECS["seldon-read"]({ ...message, body: Buffer.from('{"data":{"ndarray":[1]}}') });
  assert.equal(call.request.messages.length, 1);
  const feedback = CODECS["seldon-feedback"]({ ...message, body: Buffer.from('{"reward":1}') });
  assert.equal(feedback.request.reward, 1);
  const proto = CODECS["seldon-proto-read"]({
    body: Buffer.from("2a0161", "hex"), // strData "a"
    options: { method: "predict", isStrict: false, unitId: "m" },
  });
  assert.equal(proto.request.messages[0]?.payload.kind, "text");
});
