import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProjectFile } from "../../models/description/index.ts";
import { processingOf } from "./processing.ts";

const SIGNATURE = "signature: { inputs: [{ name: a, datatype: FP32, shape: [-1, 4] }] }";

function detected(kind: "class" | "onnx"): Parameters<typeof processingOf>[2] {
  return { chosen: { kind, files: [], reason: "" } as never, labels: undefined } as never; // what is looked at
}

test("a project file says what its class takes, and nothing of a model whose file says it", async () => {
  const file = await parseProjectFile(SIGNATURE);
  assert.deepEqual(processingOf(".", file, detected("class")), {
    signature: { inputs: [{ name: "a", datatype: "FP32", shape: [-1, 4] }], outputs: [] },
  });
  assert.throws(() => processingOf(".", file, detected("onnx")), {
    code: "PROJECT_INVALID",
    message: /a model of the kind onnx: its file says/,
  });
  assert.deepEqual(processingOf(".", {}, detected("class")), {});
});
