import assert from "node:assert/strict";
import { test } from "node:test";
import { unbzip2, unxz, type Bytes } from "./index.ts";

const TEXT = "one two three\n";

/** TEXT as bzip2 1.0.8 and xz 5.4 pack it. */
const ROWS = [
  {
    name: "bzip2",
    unpack: unbzip2,
    packed: "QlpoOTFBWSZTWUi9wi8AAATRgAAQQAACQZSAIAAxBkxA0GJpisJ8Y5AvF3JFOFCQSL3CLw==",
  },
  {
    name: "xz",
    unpack: unxz,
    packed:
      "/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQANb25lIHR3byB0aHJlZQoAAADBk6S/2khh5QABJg4IG+AEH7bzfQEAAAAABFla",
  },
];

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function textOfAll(bytes: Bytes): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

for (const { name, unpack, packed } of ROWS) {
  const stored = Buffer.from(packed, "base64");

  test(`${name}: one stream and two behind each other, in pieces of any size`, async () => {
    for (const size of [1, 7, 1000])
      assert.equal(await textOfAll(unpack(inPieces(stored, size))), TEXT);
    const twice = Buffer.concat([stored, stored]);
    assert.equal(await textOfAll(unpack(inPieces(twice, 1000))), TEXT + TEXT);
  });

  test(`${name}: damaged and cut content is an error, and so is a source that fails; leaving early is none`, async () => {
    const damaged = Buffer.from(stored);
    const middle = stored.byteLength >> 1;
    damaged[middle] = (damaged[middle] ?? 0) ^ 0xff;
    const reader = unpack(inPieces(stored, 10));
    assert.equal((await reader.next()).done, false);
    await reader.return(undefined); // a reader that leaves with the last bytes in hand
    await assert.rejects(textOfAll(unpack(inPieces(damaged, 10))));
    await assert.rejects(textOfAll(unpack(inPieces(stored.subarray(0, middle), 10))));
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield stored.subarray(0, middle);
      throw new Error("the disk is gone");
    };
    await assert.rejects(textOfAll(unpack(failing())), /the disk is gone/);
  });
}
