import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32c, maskCrc32c } from "./crc32c.ts";

test("CRC-32C: the examples of RFC 3720", () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e);
  assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
});

test("CRC-32C: in pieces it is the same as at once", () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, index) => (index * 7919) % 251);
  for (const cut of [0, 1, 7, 8, 9, 500, 999, 1000])
    assert.equal(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut))), crc32c(bytes));
});

test("CRC-32C: long and unaligned bytes, which are summed in other ways, are the same", () => {
  const bytes = Uint8Array.from({ length: 100_003 }, (_, index) => (index * 7919) % 251);
  let slow = 0;
  for (let at = 0; at < bytes.byteLength; at += 7) slow = crc32c(bytes.subarray(at, at + 7), slow);
  assert.equal(crc32c(bytes), slow);
  assert.equal(crc32c(bytes.subarray(1)), crc32c(Uint8Array.from(bytes.subarray(1))));
  assert.equal(crc32c(bytes.subarray(40_000), crc32c(bytes.subarray(0, 40_000))), slow);
});

test("the mask rotates by 15 bits and adds a constant", () => {
  assert.equal(maskCrc32c(0), 0xa282ead8);
  assert.equal(maskCrc32c(1), 0xa284ead8);
});
