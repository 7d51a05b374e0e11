import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatRecord, parseRecord } from "./record.ts";

const HASH = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

test("a record gives path, hash and size", () => {
  const record = parseRecord(
    `a.py,sha256=${HASH},12\n"b,c.py",,\n../../bin/tool,sha256=${HASH}=,3\nweak.py,md5=abc,4\n\n`,
  );
  assert.deepEqual(
    [...record.values()],
    [
      { path: "a.py", sha256: HASH, size: 12 },
      { path: "b,c.py" },
      { path: "bin/tool", sha256: HASH, size: 3 },
      { path: "weak.py", size: 4 },
    ],
  );
});

test("a record that is written is read back, in byte order", () => {
  const path = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
    .filter((text) => !/[\r\n\\]/.test(text) && !text.startsWith("./") && !text.startsWith("../"));
  fc.assert(
    fc.property(fc.uniqueArray(path, { maxLength: 10 }), (paths) => {
      const entries = paths.map((each, index) => ({ path: each, sha256: HASH, size: index }));
      const read = [...parseRecord(formatRecord(entries)).values()];
      assert.deepEqual(
        read.map((entry) => entry.path),
        paths.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right))),
      );
    }),
  );
});

test("any text is a record of something", () => {
  fc.assert(fc.property(fc.string(), (text) => void parseRecord(text)));
});
