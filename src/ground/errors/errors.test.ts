import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ContentError,
  InferenceError,
  ProcessError,
  ProjectError,
  RegistryError,
  ToolError,
  bound,
  explainFullDisk,
  factsOf,
  isRetryable,
  isToolError,
  redactUrl,
  stripControls,
} from "./index.ts";

test("a tool error carries code, hint and cause, and names its class", () => {
  const cause = new Error("inner");
  const error = new RegistryError("REGISTRY_DENIED", "push: denied", {
    method: "PUT",
    url: "https://r.test/v2/",
    status: 403,
    hint: "ask",
    cause,
  });
  assert.equal(error.name, "RegistryError");
  assert.equal(error.code, "REGISTRY_DENIED");
  assert.equal(error.hint, "ask");
  assert.equal(error.cause, cause);
  assert.deepEqual(error.diagnostics, []);
  assert.ok(isToolError(error));
});

test("an error of another copy of the package is recognised by its code", () => {
  assert.ok(isToolError(Object.assign(new Error("x"), { code: "USAGE" })));
  assert.ok(!isToolError(Object.assign(new Error("x"), { code: "ENOENT" })));
  assert.ok(!isToolError(undefined));
});

test("what is not a tool error counts as our own bug", () => {
  assert.equal(factsOf(new Error("x")).exit, 70);
  assert.equal(factsOf(new ToolError("USAGE", "x")).exit, 2);
});

test("only codes marked so are retryable", () => {
  assert.ok(isRetryable(new ToolError("REGISTRY_UNAVAILABLE", "x")));
  assert.ok(!isRetryable(new ToolError("REGISTRY_DENIED", "x")));
  assert.ok(!isRetryable(new Error("x")));
});

const urls: readonly (readonly [string, string, string])[] = [
  ["user info goes", "https://user:secret@r.test/v2/", "https://r.test/v2/"],
  [
    "signatures go",
    "https://r.test/b?X-Amz-Signature=abc&digest=sha256:00",
    "https://r.test/b?X-Amz-Signature=REDACTED&digest=sha256:00",
  ],
  [
    "upload state goes",
    "https://r.test/v2/a/blobs/uploads/1?_state=abc",
    "https://r.test/v2/a/blobs/uploads/1?_state=REDACTED",
  ],
  ["a repeated key goes whole", "https://r.test/?t=1&t=2", "https://r.test/?t=REDACTED"],
  ["text that is no URL stays", "not a url", "not a url"],
];
for (const [name, input, expected] of urls)
  test(`redacting a URL: ${name}`, () => assert.equal(redactUrl(input), expected));

test("control characters cannot reach a terminal", () => {
  assert.equal(stripControls("a\u001b[31mb\nc\u009bd\u202ee"), "a [31mb c d e");
});

test("long text is cut and says by how much", () => {
  assert.equal(bound("abcdef", 4), "abcd… (2 more characters)");
  assert.equal(bound("abc", 4), "abc");
});

test("kinds of errors carry what a caller acts on, and nothing that was not said", () => {
  const content = new ContentError("DIGEST_MISMATCH", "read a blob: it differs", {
    expected: "sha256:a",
    actual: "sha256:b",
  });
  assert.deepEqual([content.expected, content.actual], ["sha256:a", "sha256:b"]);
  const failed = new ProcessError("PROCESS_FAILED", "run it: it failed", {
    command: ["it"],
    exitCode: 3,
    signal: "SIGKILL",
  });
  assert.deepEqual(
    [failed.command, failed.exitCode, failed.signal, failed.timedOut, failed.stderrTail],
    [["it"], 3, "SIGKILL", false, ""],
  );
  const project = { file: "slipway.yaml", line: 3, column: 5, keyPath: "server.workers" };
  assert.partialDeepStrictEqual(
    Object.assign({}, new ProjectError("PROJECT_INVALID", "no", project)),
    project,
  );
  const asked = { model: "iris", tensor: "x", expected: "FP32", actual: "BYTES" };
  assert.partialDeepStrictEqual(
    Object.assign({}, new InferenceError("TENSOR_INVALID", "no", asked)),
    asked,
  );
  const bare = new InferenceError("MODEL_FAILED", "no");
  assert.deepEqual([bare.model, bare.tensor], [undefined, undefined]);
});

test("a full disk has its own code and names the place, and no other error is touched", () => {
  const full = Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
  assert.equal((explainFullDisk(full, "/cache") as ToolError).code, "DISK_FULL");
  assert.match(String(explainFullDisk(full, "/cache")), /write "\/cache": no space left/);
  const named = Object.assign(new Error("EDQUOT"), { code: "EDQUOT", path: "/data/x" });
  assert.match(String(explainFullDisk(named, "/cache")), /write "\/data\/x"/);
  for (const other of [Object.assign(new Error("x"), { code: "EACCES" }), new Error("x"), "text"])
    assert.equal(explainFullDisk(other, "/cache"), other);
});
