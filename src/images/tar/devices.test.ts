import assert from "node:assert/strict";
import { test } from "node:test";
import { isToolError } from "../../ground/errors/index.ts";
import { readTar } from "./read-tar.ts";
import { writeTar } from "./write-tar.ts";
import type { TarInput, TarOutput } from "./entry.ts";

async function roundTrip(
  entries: readonly TarInput[],
  options: { readonly clampsPaths?: boolean } = {},
): Promise<readonly TarOutput["entry"][]> {
  const found: TarOutput["entry"][] = [];
  for await (const { entry } of readTar(writeTar(entries), options)) found.push(entry);
  return found;
}

test("pipes and devices come back with their numbers", async () => {
  const entries: readonly TarInput[] = [
    {
      path: "a",
      type: "device",
      mode: 0o600,
      size: 0,
      device: { kind: "character", major: 1, minor: 3 },
    },
    {
      path: "b",
      type: "device",
      mode: 0o660,
      size: 0,
      device: { kind: "block", major: 259, minor: 1000 },
    },
    {
      path: "c",
      type: "device",
      mode: 0o644,
      size: 0,
      device: { kind: "fifo", major: 0, minor: 0 },
    },
  ];
  const found = await roundTrip(entries);
  assert.deepEqual(
    found.map(({ path, device, mode }) => ({ path, device, mode })),
    entries.map(({ path, device, mode }) => ({ path, device, mode })),
  );
});

test("a device of which nothing is known is not written", async () => {
  await assert.rejects(
    roundTrip([{ path: "a", type: "device", mode: 0o600, size: 0 }]),
    (error: unknown) => isToolError(error) && error.code === "FILE_REFUSED",
  );
});

/** One header with a path that our own writer refuses to write. */
function tarWithPath(path: string): Uint8Array {
  const block = Buffer.alloc(512);
  block.write(path, 0, "latin1");
  block.write(
    "0000644\u00000000000\u00000000000\u000000000000000\u000000000000000\u0000",
    100,
    "latin1",
  );
  block.write("        0", 148, "latin1");
  block.write("ustar\u000000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148, "latin1");
  return Buffer.concat([block, Buffer.alloc(1024)]);
}

async function* chunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

for (const [written, read] of [
  ["/abs/x", "abs/x"],
  ["../../up", "up"],
  ["a/../b", "b"],
] as const)
  test(`"${written}" is refused, and "${read}" where paths are clamped`, async () => {
    await assert.rejects(
      Array.fromAsync(readTar(chunk(tarWithPath(written)))),
      (error: unknown) => isToolError(error) && error.code === "ARCHIVE_INVALID",
    );
    const paths: string[] = [];
    for await (const { entry } of readTar(chunk(tarWithPath(written)), { clampsPaths: true }))
      paths.push(entry.path);
    assert.deepEqual(paths, [read]);
  });
