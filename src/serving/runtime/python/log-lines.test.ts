import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { levelOf, readLines } from "./log-lines.ts";

async function linesOf(chunks: readonly Buffer[]): Promise<string[]> {
  const stream = new PassThrough();
  const lines: string[] = [];
  readLines(stream, (text) => lines.push(text));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await once(stream, "end");
  return lines;
}

test("lines are whole wherever the stream is cut, also inside a character", async () => {
  const bytes = Buffer.from("eins\n模型\n\nlast");
  for (let at = 0; at <= bytes.byteLength; at += 1)
    assert.deepEqual(await linesOf([bytes.subarray(0, at), bytes.subarray(at)]), [
      "eins",
      "模型",
      "",
      "last",
    ]);
});

test("a long line is cut, and a flood is counted rather than kept", async () => {
  assert.deepEqual(
    (await linesOf([Buffer.from(`${"x".repeat(20_000)}\nend`)])).map((line) => line.length),
    [8192, 3],
  );
  const flood = await linesOf([Buffer.from("y\n".repeat(100_000))]);
  assert.ok(flood.length >= 2000 && flood.length < 10_000, `${flood.length} lines`);
});

test("levels have names", () => {
  assert.deepEqual([1, 2, 10, 20, 30, 40, 50].map(levelOf), [
    "stdout",
    "stderr",
    "debug",
    "info",
    "warn",
    "error",
    "fatal",
  ]);
});
