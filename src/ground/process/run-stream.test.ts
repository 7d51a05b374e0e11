import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessError } from "../errors/index.ts";
import { runStream } from "./run-stream.ts";

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

test("a program's output comes whole and in order", async () => {
  const text = await collect(runStream(["seq", "1", "200000"]));
  assert.equal(text.split("\n").length, 200_001);
  assert.ok(text.endsWith("199999\n200000\n"));
});

test("a program that fails after its output does not look like a clean end", async () => {
  await assert.rejects(
    collect(runStream(["sh", "-c", "echo out; echo why >&2; exit 3"])),
    (error: unknown) => error instanceof ProcessError && error.exitCode === 3,
  );
});

test("leaving early ends the program", async () => {
  const started = runStream(["sh", "-c", "yes"]);
  for await (const chunk of started) {
    assert.ok(chunk.byteLength > 0);
    break;
  }
  assert.ok((await started.next()).done);
});

test("an abort rejects with the signal's reason", async () => {
  const controller = new AbortController();
  const reading = collect(runStream(["sleep", "60"], { signal: controller.signal }));
  controller.abort(new Error("enough"));
  await assert.rejects(reading, /enough/);
});

test("a missing program is named", async () => {
  await assert.rejects(collect(runStream(["no-such-program-here"])), { code: "TOOL_MISSING" });
});
