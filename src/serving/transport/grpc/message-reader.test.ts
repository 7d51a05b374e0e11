import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageReader } from "./message-reader.ts";

const framed = (message: Buffer): Buffer => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
};

test("messages come whole however their bytes are cut, large ones in memory of their own", () => {
  const sizes = [3, 300_000, 0, 262_144, 262_143, 900_000, 1];
  const messages = sizes.map((size, index) => Buffer.alloc(size, index + 1));
  const stream = Buffer.concat(messages.map(framed));
  for (const cut of [4, 6, 1000, 65_536, 299_990, stream.byteLength]) {
    const found: Buffer[] = [];
    const reader = new MessageReader({
      maxBytes: 1_000_000,
      encoding: undefined,
      onMessage: (message) => found.push(message),
      onFailure: ({ message }) => assert.fail(message),
    });
    for (let at = 0; at < stream.byteLength; at += cut) reader.push(stream.subarray(at, at + cut));
    assert.deepEqual(
      found.map((message) => message.byteLength),
      sizes,
    );
    assert.ok(found.every((message, index) => message.equals(messages[index] ?? message)));
    assert.equal(reader.heldBytes, 0);
    if (cut === 65_536)
      assert.equal(found[5]?.buffer.byteLength, 900_000, "it can be handed to a thread");
  }
});

test("the memory of a large message is held from its beginning on, and let go with it", () => {
  const reader = new MessageReader({
    ...{ maxBytes: 1_000_000, encoding: undefined },
    onMessage: () => assert.fail("it is not whole"),
    onFailure: ({ message }) => assert.fail(message),
  });
  reader.push(framed(Buffer.alloc(500_000)).subarray(0, 1000));
  assert.equal(reader.heldBytes, 500_000);
  reader.drop();
  assert.equal(reader.heldBytes, 0);
});
