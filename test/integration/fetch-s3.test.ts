import assert from "node:assert/strict";
import { test } from "node:test";
import { fetchPlace } from "../support/fetch-place.ts";
import { startS3Server } from "../support/s3-server.ts";
import { packed, tarOf } from "../support/archives.ts";

const ARCHIVE = packed(tarOf({ "model/model/tiny.h5": "weights" }), "gzip");
const OBJECTS = {
  "team/m.tar.gz": ARCHIVE,
  "team/iris/v 1/model.onnx": "ONNX",
  "team/iris/v 1/labels (a+b).txt": "a\nb\n",
  "team/iris-other.txt": "beside",
};

test("objects and folders of a bucket become models, with signed requests", async (t) => {
  const server = await startS3Server(t, "models", OBJECTS);
  if (server === undefined) return;
  const place = await fetchPlace(t);
  const fetch = (uri: string, env: Readonly<Record<string, string>> = {}) =>
    place.fetch({ ...server.environment, ...env, MODEL_URI: uri });

  await fetch("s3://models/team/m.tar.gz");
  assert.deepEqual(await place.files(), { "tiny.h5": "weights" });

  const folder = { "labels (a+b).txt": "a\nb\n", "model.onnx": "ONNX" };
  await fetch("s3://models/team/iris/v 1/");
  assert.deepEqual(await place.files(), folder);
  const again = await fetch("s3://models/team/iris/v 1/");
  assert.equal(again.isKept, true);

  await fetch("s3://models/team/iris");
  assert.deepEqual(Object.keys(await place.files()), ["v 1/labels (a+b).txt", "v 1/model.onnx"]);

  await assert.rejects(fetch("s3://models/nothing"), { code: "REFERENCE_NOT_FOUND" });
  await assert.rejects(fetch("s3://nobody/x"), { code: "REFERENCE_NOT_FOUND" });
  const wrong: unknown = await fetch("s3://models/team/m.tar.gz", {
    AWS_SECRET_ACCESS_KEY: "geheim",
  }).catch((error: unknown) => error);
  assert.ok(wrong instanceof Error);
  assert.equal((wrong as { code?: string }).code, "REGISTRY_DENIED");
  assert.doesNotMatch(wrong.message, /geheim|Signature/);
});
