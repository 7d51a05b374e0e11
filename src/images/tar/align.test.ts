import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { oneChunk } from "../../ground/bytes/index.ts";
import { readTar, writeTar, type TarInput } from "./index.ts";

const file = (path: string, size: number): TarInput => ({
  path,
  type: "file",
  mode: 0o644,
  size,
  content: Buffer.alloc(size, path.length % 256),
});

const NAMES = ["a", "b".repeat(90), `long/${"c".repeat(300)}`, "模型.bin", "d/e", "z"];

test("contents begin at pages, and every reader sees the same files", async () => {
  const entries = NAMES.map((name, index) => file(name, 1 + index * 1500));
  const tar = Buffer.concat(await Array.fromAsync(writeTar(entries, { alignment: 4096 })));
  for (const { content } of entries) assert.notEqual(alignedIndex(tar, content as Buffer), -1);
  const seen: string[] = [];
  for await (const { entry, content } of readTar(oneChunk(tar))) {
    const bytes = Buffer.concat(await Array.fromAsync(content));
    seen.push(`${entry.path} ${bytes.length} ${bytes[0]}`);
  }
  assert.deepEqual(
    seen.sort(),
    entries.map(({ path, size }) => `${path} ${size} ${path.length % 256}`).sort(),
  );
  const listed = execFileSync("tar", ["-t"], {
    input: tar,
    env: { LC_ALL: "C.UTF-8", PATH: process.env["PATH"] },
  });
  assert.equal(listed.toString().trim().split("\n").length, NAMES.length);
});

/** The first multiple of 4096 at which the content stands. */
function alignedIndex(tar: Buffer, content: Buffer): number {
  for (let at = 0; at < tar.length; at += 4096)
    if (tar.subarray(at, at + content.length).equals(content)) return at;
  return -1;
}
