import assert from "node:assert/strict";
import { test } from "node:test";
import { WireWriter } from "../../ground/wire/index.ts";
import { parseVariableSlices } from "./variable-slices.ts";

/** A CollectionDef with one VariableDef whose SaveSliceInfoDef is given. */
function collection(name: string, info: Buffer): Buffer {
  const definition = new WireWriter();
  definition.bytes((4 << 3) | 2, info);
  definition.string((1 << 3) | 2, name);
  const list = new WireWriter();
  list.bytes((1 << 3) | 2, definition.finish());
  const writer = new WireWriter();
  writer.bytes((2 << 3) | 2, list.finish());
  return writer.finish();
}

test("parts of partitioned variables: packed and single numbers, zero offsets left out", () => {
  const info = new WireWriter();
  info.int((4 << 3) | 0, 3);
  info.int((4 << 3) | 0, 2);
  info.bytes((3 << 3) | 2, Buffer.of(2, 0));
  info.bytes((2 << 3) | 2, Buffer.of(4, 3));
  info.string((1 << 3) | 2, "p/w");
  assert.deepEqual(
    [...parseVariableSlices(collection("p/w/part_1:0", info.finish()))],
    [
      [
        "p/w/part_1",
        {
          key: "p/w",
          shape: [4, 3],
          extents: [
            { start: 2, length: 2 },
            { start: 0, length: 3 },
          ],
        },
      ],
    ],
  );
});

test("variables that are whole have no part, and a shape of too many axes is refused", () => {
  assert.equal(parseVariableSlices(Buffer.alloc(0)).size, 0);
  const info = new WireWriter();
  info.bytes((2 << 3) | 2, Buffer.alloc(1000, 1));
  assert.throws(() => parseVariableSlices(collection("w:0", info.finish())), /more than 254 axes/);
});
