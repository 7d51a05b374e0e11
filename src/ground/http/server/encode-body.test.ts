import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync, inflateSync } from "node:zlib";
import { acceptedEncoding, encodeBody } from "./encode-body.ts";

test("the encoding that is wanted most is taken, and none that is refused or unknown", () => {
  const cases: readonly (readonly [string | undefined, string | undefined])[] = [
    [undefined, undefined],
    ["", undefined],
    ["br", undefined],
    ["*", undefined],
    ["identity", undefined],
    ["gzip", "gzip"],
    ["GZIP", "gzip"],
    ["gzip, deflate, br", "gzip"],
    ["deflate, gzip", "gzip"],
    ["deflate, gzip;q=0.5", "deflate"],
    ["gzip;q=0", undefined],
    ["gzip;q=0, deflate;q=0.1", "deflate"],
    ["gzip;q=x", undefined],
  ];
  for (const [header, wanted] of cases) assert.equal(acceptedEncoding(header), wanted, header);
});

test("bodies are packed as their encoding says", async () => {
  const body = Buffer.from("a".repeat(1000));
  assert.deepEqual(gunzipSync(await encodeBody(body, "gzip")), body);
  assert.deepEqual(inflateSync(await encodeBody(body, "deflate")), body);
});
