import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { elf } from "../../../test/support/wheels.ts";
import { readElf, type ReadAt } from "./elf.ts";

const reader =
  (bytes: Buffer): ReadAt =>
  (offset, length) =>
    bytes.subarray(offset, offset + length);

test("the needed libraries and the name of a library are read", () => {
  assert.deepEqual(
    readElf(reader(elf({ needed: ["libgomp.so.1", "libc.so.6"], soname: "libfast.so.2" }))),
    { needed: ["libgomp.so.1", "libc.so.6"], soname: "libfast.so.2" },
  );
});

test("a real program's libraries are read", () => {
  assert.ok(readElf(reader(readFileSync(process.execPath)))?.needed.includes("libc.so.6"));
});

for (const [name, bytes] of [
  ["an empty file", Buffer.alloc(0)],
  ["text", Buffer.from("#!/bin/sh\n".repeat(20))],
  ["a header alone", elf({ needed: [] }).subarray(0, 64)],
] as const) {
  test(`${name} is no library`, () => assert.equal(readElf(reader(bytes)), undefined));
}

test("a 32-bit library is left out", () => {
  const bytes = elf({ needed: ["libc.so.6"] });
  bytes[4] = 1;
  assert.equal(readElf(reader(bytes)), undefined);
});

test("whatever the bytes say, the reader comes back and reads little", () => {
  const base = elf({ needed: ["libm.so.6"], soname: "x.so" });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(base.byteLength - 1), fc.nat(255)), { maxLength: 30 }),
      (changes) => {
        const bytes = Buffer.from(base);
        for (const [at, value] of changes) if (at >= 6) bytes[at] = value;
        let asked = 0;
        const facts = readElf((offset, length) => {
          asked += length;
          return bytes.subarray(offset, offset + length);
        });
        assert.ok(asked < 4 * 2 ** 20);
        for (const needed of facts?.needed ?? []) assert.match(needed, /^[\w.+@~-]+$/);
      },
    ),
    { numRuns: 500 },
  );
});
