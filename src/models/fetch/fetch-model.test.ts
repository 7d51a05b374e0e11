import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { packed, tarOf, zipOf } from "../../../test/support/archives.ts";
import { fetchPlace } from "../../../test/support/fetch-place.ts";
import { startModelStore } from "../../../test/support/model-store.ts";

const ONE = { "model/model/tiny.h5": "weights" };
const SEVERAL = {
  "model/model/saved_model.pb": "graph",
  "model/model/variables/variables.index": "index",
};
const store = (address: string): Record<string, string> => ({
  XQUERY_ADDR: address,
  MODEL_ID: "m1",
  MODEL_VERSION: "2",
  GUID: "g 1",
});

for (const { name, archive } of [
  { name: "a zip", archive: zipOf(ONE) },
  { name: "a tar", archive: tarOf(ONE) },
  { name: "a tar.gz", archive: packed(tarOf(ONE), "gzip") },
  { name: "a tar.zst", archive: packed(tarOf(ONE), "zstd") },
  {
    name: "a tar.zst of many frames",
    archive: Buffer.concat([
      packed(tarOf(ONE).subarray(0, 700), "zstd"),
      packed(tarOf(ONE).subarray(700), "zstd"),
    ]),
  },
])
  test(`${name} of one file puts it at the top, and leaves no archive`, async (t) => {
    const place = await fetchPlace(t);
    const { address, requests } = await startModelStore(t, archive);
    const model = await place.fetch(store(address));
    assert.deepEqual(await place.files(), { "tiny.h5": "weights" });
    assert.deepEqual(model.names, ["tiny.h5"]);
    assert.deepEqual(await place.leftovers(), []);
    assert.equal(requests[0]?.target, "/?model_id=m1&model_version=2&guid=g%201");
  });

test("a model of several files stays in model/model", async (t) => {
  const place = await fetchPlace(t);
  const { address } = await startModelStore(t, packed(tarOf(SEVERAL), "gzip"));
  await place.fetch(store(address));
  assert.deepEqual(await place.files(), SEVERAL);
});

test("what macOS adds to an archive is no part of the model", async (t) => {
  const place = await fetchPlace(t);
  const junk = {
    "__MACOSX/model/model/._tiny.h5": "x",
    "model/.DS_Store": "x",
    "model/model/._a": "x",
  };
  const { address } = await startModelStore(t, zipOf({ ...ONE, ...junk }));
  await place.fetch(store(address));
  assert.deepEqual(await place.files(), { "tiny.h5": "weights" });
});

test("an archive without model/model lands as it is, its only file at the top", async (t) => {
  const place = await fetchPlace(t);
  const { address } = await startModelStore(t, zipOf({ "deep/down/a.onnx": "x" }));
  await place.fetch(store(address));
  assert.deepEqual(await place.files(), { "a.onnx": "x" });
  const other = await fetchPlace(t);
  const { address: second } = await startModelStore(t, zipOf({ "m/a.json": "x", "m/b.h5": "y" }));
  await other.fetch(store(second));
  assert.deepEqual(await other.files(), { "m/a.json": "x", "m/b.h5": "y" });
});

test("a file that is called like its folder lands at the top", async (t) => {
  const place = await fetchPlace(t);
  const { address } = await startModelStore(t, zipOf({ "model/model/model": "x" }));
  await place.fetch(store(address));
  assert.deepEqual(await place.files(), { model: "x" });
});

test("files outside model/model come along where the archive has them", async (t) => {
  const place = await fetchPlace(t);
  const { address } = await startModelStore(t, zipOf({ ...ONE, "model/labels.txt": "a\nb\n" }));
  await place.fetch(store(address));
  assert.deepEqual(await place.files(), { "tiny.h5": "weights", "model/labels.txt": "a\nb\n" });
});

const link = (path: string, linkTarget: string) =>
  ({ path, type: "symlink", mode: 0o777, size: 0, linkTarget }) as const;
const HOSTILE = [
  {
    name: "JSON in place of an archive",
    content: Buffer.from('{"error":"no such model"}'),
    code: "ARCHIVE_INVALID",
    says: /archive.*no such model/,
  },
  { name: "nothing", content: Buffer.alloc(0), code: "ARCHIVE_INVALID", says: /archive.*empty/ },
  {
    name: "a zip path that leaves",
    content: zipOf({ ...ONE, "model/model/../../../../tmp/slipway-escaped": "x" }),
    code: "FILE_REFUSED",
    says: /\.\./,
  },
  {
    name: "a tar path that leaves",
    content: tarOf({ "../../tmp/slipway-escaped": "x" }),
    code: "ARCHIVE_INVALID",
    says: /\.\./,
  },
  {
    name: "an absolute tar path",
    content: tarOf({ "/tmp/slipway-escaped": "x" }),
    code: "ARCHIVE_INVALID",
    says: /absolute/,
  },
  {
    name: "an absolute zip path",
    content: zipOf({ "/tmp/slipway-escaped": "x" }),
    code: "FILE_REFUSED",
    says: /absolute/,
  },
  {
    name: "a zip path of Windows",
    content: zipOf({ "..\\..\\tmp\\slipway-escaped": "x" }),
    code: "FILE_REFUSED",
    says: /leaves|invalid/,
  },
  {
    name: "a symlink in a tar",
    content: tarOf(ONE, [link("model/model/out", "/etc")]),
    code: "FILE_REFUSED",
    says: /"model\/model\/out".*link/,
  },
  {
    name: "a hard link in a tar",
    content: tarOf(ONE, [{ ...link("model/model/b", "model/model/tiny.h5"), type: "hardlink" }]),
    code: "FILE_REFUSED",
    says: /link/,
  },
  {
    name: "a pipe in a tar",
    content: tarOf(ONE, [
      {
        path: "model/pipe",
        type: "device",
        mode: 0o644,
        size: 0,
        device: { kind: "fifo", major: 0, minor: 0 },
      },
    ]),
    code: "FILE_REFUSED",
    says: /"model\/pipe".*device/,
  },
  {
    name: "a symlink in a zip",
    content: zipOf(
      { ...ONE, "model/model/out": "/etc" },
      { "model/model/out": { mode: 0o120777 } },
    ),
    code: "FILE_REFUSED",
    says: /"model\/model\/out".*link/,
  },
  {
    name: "a tar name that comes twice",
    content: Buffer.concat([tarOf(ONE).subarray(0, 1024), tarOf(ONE)]),
    code: "ARCHIVE_INVALID",
    says: /tiny\.h5" comes twice/,
  },
  {
    name: "a zip name that comes twice",
    content: zipOf(ONE, {}, ["model/model/tiny.h5"]),
    code: "FILE_REFUSED",
    says: /tiny\.h5".*twice/,
  },
  {
    name: "a path below a file",
    content: tarOf({ a: "x", "a/b": "y" }),
    code: "FILE_REFUSED",
    says: /"a".*a file and a folder/,
  },
  {
    name: "a file that is also a folder",
    content: tarOf({ "a/b": "y", a: "x" }),
    code: "FILE_REFUSED",
    says: /"a".*twice/,
  },
  {
    name: "an archive without a file",
    content: tarOf({}),
    code: "ARCHIVE_INVALID",
    says: /archive/,
  },
  {
    name: "a zip that is cut short",
    content: zipOf(ONE).subarray(0, -9),
    code: "ARCHIVE_INVALID",
    says: /zip/,
  },
  {
    name: "a tar that is cut short",
    content: tarOf({ a: Buffer.alloc(5000) }).subarray(0, 3000),
    code: "ARCHIVE_INVALID",
    says: /tar/,
  },
  {
    name: "a gzip stream that is cut short",
    content: packed(tarOf(ONE), "gzip").subarray(0, -12),
    code: "ARCHIVE_INVALID",
    says: /gzip.*cut short/,
  },
  {
    name: "a zip that states a wrong size",
    content: zipOf({ a: "abc" }, { a: { statedSize: 2 } }),
    code: "ARCHIVE_INVALID",
    says: /zip/,
  },
  {
    name: "an xz archive",
    content: Buffer.from("fd377a585a000004", "hex"),
    code: "UNSUPPORTED",
    says: /xz/,
  },
  {
    name: "a zip bomb",
    content: zipOf({ a: "abc" }, { a: { statedSize: 3_000_000_000 } }),
    code: "LIMIT_EXCEEDED",
    says: /bomb/,
  },
  {
    name: "a gzip bomb",
    content: packed(tarOf({ a: Buffer.alloc(270 * 2 ** 20) }), "gzip"),
    code: "LIMIT_EXCEEDED",
    says: /bomb/,
  },
] as const;

for (const { name, content, code, says } of HOSTILE)
  test(`${name} is refused, and nothing of it stays`, async (t) => {
    const place = await fetchPlace(t);
    const { address } = await startModelStore(t, content);
    await assert.rejects(place.fetch(store(address)), { code, message: says });
    assert.deepEqual(await place.files(), {});
    assert.deepEqual(await place.leftovers(), []);
    assert.equal(existsSync("/tmp/slipway-escaped"), false);
  });

test("a model that is larger or has more files than allowed is refused", async (t) => {
  const place = await fetchPlace(t);
  const { address } = await startModelStore(t, tarOf({ a: Buffer.alloc(6000), b: "x" }));
  const limits = (maxBytes: number, maxFiles: number) => ({ limits: { maxBytes, maxFiles } });
  const code = "LIMIT_EXCEEDED";
  await assert.rejects(place.fetch(store(address), limits(5000, 10)), { code });
  await assert.rejects(place.fetch(store(address), limits(50_000, 1)), { code });
  assert.deepEqual(await place.files(), {});
});

test("a download that is cut goes on where it was, at every place", async (t) => {
  const archive = packed(
    tarOf({ "model/model/a.bin": Buffer.from("0123456789".repeat(400)) }),
    "gzip",
  );
  for (let after = 0; after < archive.length; after += 7) {
    const place = await fetchPlace(t);
    const { address, fault, requests } = await startModelStore(t, archive);
    fault({ kind: "cut", after });
    await place.fetch(store(address));
    assert.equal((await place.files())["a.bin"]?.length, 4000, `cut after ${after}`);
    assert.equal(requests.length, 2);
  }
});

test("a store without ranges is asked again from the start", async (t) => {
  const place = await fetchPlace(t);
  const { address, fault } = await startModelStore(t, tarOf(SEVERAL), { hasRanges: false });
  fault({ kind: "cut", after: 600 });
  await place.fetch(store(address));
  assert.deepEqual(await place.files(), SEVERAL);
  assert.match(place.warnings.join("\n"), /begun again/);
});

test("a length that is wrong each time ends in an error", async (t) => {
  const place = await fetchPlace(t);
  const { address, fault } = await startModelStore(t, tarOf(ONE), { hasRanges: false });
  for (let count = 0; count < 3; count += 1) fault({ kind: "wrong-length", more: 10 });
  await assert.rejects(place.fetch(store(address)), { code: "REGISTRY_UNREACHABLE" });
  assert.deepEqual(await place.files(), {});
});

test("a content that changes while it comes is not put together", async (t) => {
  const place = await fetchPlace(t);
  const { address, fault } = await startModelStore(t, tarOf(ONE));
  fault({ kind: "cut", after: 600 });
  fault({ kind: "changed", content: tarOf({ "model/model/other.h5": "other" }) });
  await assert.rejects(place.fetch(store(address)), {
    code: "REGISTRY_PROTOCOL",
    message: /changed/,
  });
});

test("redirects are followed, 404 and 403 are errors with their codes, 503 is tried again", async (t) => {
  const place = await fetchPlace(t);
  const { address, fault, requests } = await startModelStore(t, zipOf(ONE));
  fault({ kind: "status", status: 404 });
  await assert.rejects(place.fetch(store(address)), {
    code: "REFERENCE_NOT_FOUND",
    message: /answered 404/,
  });
  fault({ kind: "status", status: 403 });
  await assert.rejects(place.fetch(store(address)), { code: "REGISTRY_DENIED" });
  fault({ kind: "redirect" });
  fault({ kind: "status", status: 503, retryAfter: 0 });
  await place.fetch(store(address));
  assert.equal(
    requests.some(({ target }) => target.startsWith("/moved/")),
    true,
  );
});

test("the secret parts of an address are not in an error", async (t) => {
  const place = await fetchPlace(t);
  const { address, fault } = await startModelStore(t, zipOf(ONE));
  fault({ kind: "status", status: 404 });
  const error: unknown = await place
    .fetch({ MODEL_URI: `http://user:geheim@${address}/a.zip?token=geheim` })
    .catch((reason: unknown) => reason);
  assert.ok(error instanceof Error);
  assert.doesNotMatch(JSON.stringify([error.message, error]), /geheim/);
});

test("a checksum is held against the content, whatever it is", async (t) => {
  const place = await fetchPlace(t);
  const archive = zipOf(ONE);
  const { address } = await startModelStore(t, archive);
  const env = store(address);
  await assert.rejects(place.fetch({ ...env, MODEL_SHA256: "00".repeat(32) }), {
    code: "DIGEST_MISMATCH",
  });
  assert.deepEqual(await place.files(), {});
  const sha256 = createHash("sha256").update(archive).digest("hex");
  await place.fetch({ ...env, MODEL_SHA256: `sha256:${sha256.toUpperCase()}` });
});

test("a model that was fetched is used again without asking, and another one takes its place", async (t) => {
  const place = await fetchPlace(t);
  const { address, requests } = await startModelStore(t, tarOf(SEVERAL));
  await place.fetch(store(address));
  const again = await place.fetch(store(address));
  assert.equal(again.isKept, true);
  assert.equal(requests.length, 1);
  const other = await startModelStore(t, zipOf(ONE));
  await place.fetch(store(other.address));
  assert.deepEqual(await place.files(), { "tiny.h5": "weights" });
});

test("a model is fetched again when a file of it is gone, and when that is wanted", async (t) => {
  const place = await fetchPlace(t);
  const { address, requests } = await startModelStore(t, zipOf(ONE));
  await place.fetch(store(address));
  await rm(join(place.folder, "tiny.h5"));
  await place.fetch(store(address));
  assert.deepEqual(await place.files(), { "tiny.h5": "weights" });
  await place.fetch({ ...store(address), MODEL_REFRESH: "1" });
  assert.equal(requests.length, 3);
});

test("the old model stays when a new one cannot be fetched", async (t) => {
  const place = await fetchPlace(t);
  const { address } = await startModelStore(t, zipOf(ONE));
  await place.fetch(store(address));
  const wrong = await startModelStore(t, Buffer.from("no archive"));
  await assert.rejects(place.fetch(store(wrong.address)));
  assert.deepEqual(await place.files(), { "tiny.h5": "weights" });
});

test("a file that nobody fetched is not replaced", async (t) => {
  const place = await fetchPlace(t);
  await writeFile(join(place.folder, "tiny.h5"), "mine");
  const { address } = await startModelStore(t, zipOf(ONE));
  await assert.rejects(place.fetch(store(address)), { code: "FILE_REFUSED", message: /"tiny.h5"/ });
  assert.deepEqual(await place.files(), { "tiny.h5": "mine" });
});

test("two fetches into one folder at once fetch once", async (t) => {
  const place = await fetchPlace(t);
  const { address, requests } = await startModelStore(t, zipOf(ONE));
  await Promise.all([place.fetch(store(address)), place.fetch(store(address))]);
  assert.equal(requests.length, 1);
});

test("names of HOSTS are known without any resolver", async (t) => {
  const place = await fetchPlace(t);
  const { port } = await startModelStore(t, zipOf(ONE));
  await place.fetch({
    ...store(`store.internal.invalid:${port}`),
    HOSTS: "127.0.0.1<->Store.internal.invalid",
  });
  assert.deepEqual(await place.files(), { "tiny.h5": "weights" });
});

test("a URL of one model file keeps its name; the answer's own name wins", async (t) => {
  const place = await fetchPlace(t);
  const { address } = await startModelStore(t, Buffer.from("ONNX"));
  await place.fetch({ MODEL_URI: `http://${address}/v1/a%20b.onnx?sig=1` });
  assert.deepEqual(await place.files(), { "a b.onnx": "ONNX" });
  const named = await startModelStore(t, Buffer.from("ONNX"), {
    headers: { "content-disposition": `attachment; filename="../../m.onnx"` },
  });
  await place.fetch({ MODEL_URI: `http://${named.address}/download` });
  assert.deepEqual(await place.files(), { "m.onnx": "ONNX" });
});

test("a model that is a zip inside is a file under its own name, and an archive without one", async (t) => {
  const place = await fetchPlace(t);
  const { address } = await startModelStore(t, zipOf({ "config.json": "{}" }));
  await place.fetch({ MODEL_URI: `http://${address}/m.keras` });
  assert.deepEqual(Object.keys(await place.files()), ["m.keras"]);
  await place.fetch({ MODEL_URI: `http://${address}/m` });
  assert.deepEqual(Object.keys(await place.files()), ["config.json"]);
});

test("a POST sends the parameters as a form or as JSON", async (t) => {
  const place = await fetchPlace(t);
  const { address, requests } = await startModelStore(t, zipOf(ONE));
  const template = "{XQUERY_ADDR}/get?id={MODEL_ID}&v={MODEL_VERSION}";
  const env = { ...store(address), MODEL_URL_TEMPLATE: template, MODEL_URL_METHOD: "post" };
  await place.fetch({ ...env, MODEL_URL_HEADERS: "X-Key: geheim; X-Other: 2" });
  await place.fetch({ ...env, MODEL_URL_BODY: "json" });
  const [form, json] = requests;
  assert.deepEqual([form?.method, form?.target, form?.body], ["POST", "/get", "id=m1&v=2"]);
  assert.equal(form?.headers["x-key"], "geheim");
  assert.equal(json?.body, '{"id":"m1","v":"2"}');
});

test("a file of this machine is taken, and a folder is served where it lies", async (t) => {
  const place = await fetchPlace(t);
  const from = await fetchPlace(t);
  await writeFile(join(from.folder, "m.zip"), zipOf(ONE));
  await place.fetch({ MODEL_URI: `file://${from.folder}/m.zip` });
  assert.deepEqual(await place.files(), { "tiny.h5": "weights" });
  const { folder, names } = await place.fetch({ MODEL_URI: `file://${from.folder}` });
  assert.deepEqual([folder, names], [from.folder, undefined]);
  await assert.rejects(place.fetch({ MODEL_URI: `file://${from.folder}/none` }), {
    code: "REFERENCE_NOT_FOUND",
  });
});

test("a download of many ranges comes in order over several connections", async (t) => {
  const place = await fetchPlace(t);
  const weights = Buffer.alloc(40 * 2 ** 20);
  for (let at = 0; at < weights.length; at += 4) weights.writeUInt32LE(at, at);
  const far = { chunkBytes: 2 ** 20, pauseMs: 40 };
  const { address, requests, fault } = await startModelStore(t, weights, far);
  fault({ kind: "cut", after: 30_000_000 });
  fault({ kind: "cut", after: 1_000_003 });
  const sha256 = createHash("sha256").update(weights).digest("hex");
  await place.fetch({ MODEL_URI: `http://${address}/w.bin`, MODEL_SHA256: sha256 });
  assert.ok(requests.length >= 5, `${requests.length} requests`);
});
