import assert from "node:assert/strict";
import { test } from "node:test";
import { WireWriter } from "../../../ground/wire/index.ts";
import { isLargeMessage, type FlatFields } from "./large-message.ts";

const MIB = 2 ** 20;
/** Field 3 is flat, and field 1 of the message in field 2. */
const FLAT: FlatFields = new Map<number, "flat" | FlatFields>([
  [26, "flat"],
  [18, new Map([[10, "flat"]])],
]);

function message(...fields: readonly (readonly [tag: number, bytes: Uint8Array])[]): Buffer {
  const writer = new WireWriter();
  for (const [tag, bytes] of fields) writer.bytes(tag, bytes);
  return writer.finish();
}

for (const [what, bytes, isLarge] of [
  ["a small message", message([10, Buffer.alloc(1000)]), false],
  ["a large field that is read value by value", message([10, Buffer.alloc(MIB)]), true],
  ["a large field that is taken as it is", message([26, Buffer.alloc(MIB)]), false],
  ["several of them", message([26, Buffer.alloc(MIB)], [26, Buffer.alloc(MIB)]), false],
  ["one inside another message", message([18, message([10, Buffer.alloc(MIB)])]), false],
  ["another field there", message([18, message([18, Buffer.alloc(MIB)])]), true],
  ["flat beside what is not", message([26, Buffer.alloc(MIB)], [10, Buffer.alloc(MIB)]), true],
  ["a flat field of very many bytes", message([26, Buffer.alloc(16 * MIB)]), true],
  ["very many fields", Buffer.alloc(MIB, Buffer.of(0x1a, 0)), true],
  ["bytes that are no message", Buffer.alloc(MIB, 0xff), true],
  ["one that ends too early", message([26, Buffer.alloc(MIB)]).subarray(0, MIB - 1), true],
] as const)
  test(`${what} ${isLarge ? "goes to a thread" : "is read at once"}`, () => {
    assert.equal(isLargeMessage(bytes, FLAT), isLarge);
  });
