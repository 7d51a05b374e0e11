import { oneChunk } from "../../ground/bytes/index.ts";
import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTempDir, ownerName } from "../../ground/process/index.ts";
import { digestOf, MEDIA_TYPES, type Descriptor, type Reference } from "../oci/index.ts";
import {
  bytesOf,
  putBytes,
  putSmallImage,
  putSmallIndex,
} from "../../../test/support/small-image.ts";
import { createLayout, openLayout, tagReference, type Layout } from "./index.ts";

const named = (registry: string, repository: string, tag: string): Reference => ({
  registry,
  repository,
  tag,
});

async function inLayout(body: (layout: Layout, folder: string) => Promise<void>): Promise<void> {
  await using folder = await createTempDir("layout");
  await body(await createLayout(join(folder.path, "image")), folder.path);
}

test("what was put is there, verified, and resolves by its tag", () =>
  inLayout(async (layout) => {
    const image = await putSmallImage(layout);
    await layout.tag(image, tagReference("v1"));
    const again = openLayout(layout.path);
    assert.deepEqual(await again.resolve(tagReference("v1")), image);
    assert.equal(await again.has(image), true);
    assert.equal(digestOf(await bytesOf(again.open(image))), image.digest);
    assert.deepEqual(JSON.parse(await readFile(join(layout.path, "oci-layout"), "utf8")), {
      imageLayoutVersion: "1.0.0",
    });
  }));

test("wrong content is refused and leaves nothing", () =>
  inLayout(async (layout) => {
    const target: Descriptor = {
      mediaType: MEDIA_TYPES.layerTar,
      digest: digestOf(Buffer.from("hello")),
      size: 5,
    };
    await assert.rejects(layout.put(target, oneChunk(Buffer.from("hellO"))), {
      code: "DIGEST_MISMATCH",
    });
    await assert.rejects(layout.put(target, oneChunk(Buffer.from("hell"))), {
      code: "SIZE_MISMATCH",
    });
    assert.equal(await layout.has(target), false);
    assert.deepEqual(await readdir(join(layout.path, "blobs/sha256")), []);
    await assert.rejects(bytesOf(layout.open(target)), { code: "BLOB_NOT_FOUND" });
  }));

test("a damaged blob does not end cleanly", () =>
  inLayout(async (layout) => {
    const target = await putBytes(layout, Buffer.from("hello"), MEDIA_TYPES.layerTar);
    await writeFile(join(layout.path, "blobs", target.digest.replace(":", "/")), "hellO");
    await assert.rejects(bytesOf(layout.open(target)), { code: "DIGEST_MISMATCH" });
  }));

test("a tag moves, and tags of other names stay", () =>
  inLayout(async (layout) => {
    const one = await putSmallImage(layout, { seed: "one" });
    const two = await putSmallImage(layout, { seed: "two" });
    await layout.tag(one, tagReference("v1"));
    await layout.tag(one, tagReference("v2"));
    await layout.tag(two, tagReference("v1"));
    assert.deepEqual(await layout.resolve(tagReference("v1")), two);
    assert.deepEqual(await layout.resolve(tagReference("v2")), one);
    assert.equal((await layout.list()).length, 2);
  }));

test("images of several names that have one tag in common are told apart", () =>
  inLayout(async (layout) => {
    const one = await putSmallImage(layout, { seed: "one" });
    const two = await putSmallImage(layout, { seed: "two" });
    await layout.tag(one, named("registry.test", "a", "v1"));
    await layout.tag(two, named("store", "iris", "v1"));
    assert.deepEqual(await layout.resolve(named("registry.test", "a", "v1")), one);
    assert.deepEqual(await layout.resolve(named("docker.io", "library/iris", "v1")), two);
    await assert.rejects(layout.resolve(named("registry.test", "b", "v1")), {
      code: "REFERENCE_NOT_FOUND",
    });
    await assert.rejects(layout.resolve(tagReference("v1")), {
      code: "REFERENCE_NOT_FOUND",
      message: /"registry\.test\/a:v1", "docker\.io\/library\/iris:v1"/,
    });
  }));

test("no tag means the only image, or latest", () =>
  inLayout(async (layout) => {
    const one = await putSmallImage(layout, { seed: "one" });
    await layout.tag(one, tagReference("v1"));
    assert.deepEqual(await layout.resolve(tagReference()), one);
    await layout.tag(await putSmallImage(layout, { seed: "two" }), tagReference("v2"));
    await assert.rejects(layout.resolve(tagReference()), {
      code: "REFERENCE_NOT_FOUND",
      message: /it has "v1", "v2"/,
    });
    await layout.tag(one, tagReference());
    assert.deepEqual(await layout.resolve(tagReference()), one);
  }));

test("an image of an index resolves by its digest", () =>
  inLayout(async (layout) => {
    const index = await putSmallIndex(layout, ["amd64", "arm64"]);
    await layout.tag(index, tagReference("v1"));
    const [child] = JSON.parse((await bytesOf(layout.open(index))).toString()).manifests;
    const { mediaType, digest, size } = child;
    assert.deepEqual(await layout.resolve({ ...tagReference(), digest }), {
      mediaType,
      digest,
      size,
    });
    await assert.rejects(
      layout.resolve({ ...tagReference(), digest: digestOf(Buffer.from("no")) }),
      { code: "REFERENCE_NOT_FOUND" },
    );
  }));

test("many tags set at once, by two openers, are all in the index", () =>
  inLayout(async (layout) => {
    const image = await putSmallImage(layout);
    const other = openLayout(layout.path);
    await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        (at % 2 === 0 ? layout : other).tag(image, tagReference(`v${at}`)),
      ),
    );
    assert.equal((await layout.list()).length, 20);
    assert.deepEqual((await readdir(layout.path)).sort(), ["blobs", "index.json", "oci-layout"]);
  }));

test("a lock of a process that died is taken over", () =>
  inLayout(async (layout) => {
    const image = await putSmallImage(layout);
    await writeFile(
      join(layout.path, ".index.lock"),
      `${ownerName().replace(/^\d+-\d+/, "4194304-1")}-abc`,
    );
    await layout.tag(image, tagReference("v1"));
    assert.deepEqual((await readdir(layout.path)).sort(), ["blobs", "index.json", "oci-layout"]);
  }));

test("what others wrote into the index stays as it is", () =>
  inLayout(async (layout) => {
    const image = await putSmallImage(layout);
    const entry = {
      ...image,
      "org.example.field": [1],
      annotations: { "org.opencontainers.image.ref.name": "theirs", other: "kept" },
    };
    await writeFile(
      join(layout.path, "index.json"),
      JSON.stringify({ schemaVersion: 2, manifests: [entry], "org.example": true }),
    );
    await layout.tag(image, tagReference("ours"));
    const index = JSON.parse(await readFile(join(layout.path, "index.json"), "utf8"));
    assert.deepEqual(
      [index.manifests[0], index["org.example"], index.manifests.length],
      [entry, true, 2],
    );
  }));

test("only what was put can be tagged", () =>
  inLayout(async (layout) => {
    await assert.rejects(
      layout.tag(
        { mediaType: MEDIA_TYPES.imageManifest, digest: digestOf(Buffer.from("no")), size: 2 },
        tagReference("v1"),
      ),
      { code: "BLOB_NOT_FOUND" },
    );
  }));

test("a folder that is no layout is refused with the reason", async () => {
  await using folder = await createTempDir("layout");
  const resolve = (): Promise<unknown> => openLayout(folder.path).resolve(tagReference("v1"));
  await assert.rejects(resolve(), { code: "ARCHIVE_INVALID", message: /no file "oci-layout"/ });
  await writeFile(join(folder.path, "oci-layout"), `{"imageLayoutVersion":"2.0.0"}`);
  await assert.rejects(resolve(), { code: "ARCHIVE_INVALID", message: /unknown version/ });
  await writeFile(join(folder.path, "oci-layout"), `{"imageLayoutVersion":"1.0.0"}`);
  await assert.rejects(resolve(), { code: "ARCHIVE_INVALID", message: /no file "index\.json"/ });
  for (const text of [
    "{",
    "[]",
    `{"manifests":[{}]}`,
    `{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"sha256:../../x","size":1}]}`,
  ]) {
    await writeFile(join(folder.path, "index.json"), text);
    await assert.rejects(
      resolve(),
      (error: { code?: string }) =>
        ["MANIFEST_INVALID", "DIGEST_INVALID"].includes(error.code ?? ""),
      text,
    );
  }
  await writeFile(join(folder.path, "index.json"), Buffer.alloc(5 << 20, " "));
  await assert.rejects(resolve(), { code: "ARCHIVE_INVALID" });
  await rm(join(folder.path, "index.json"));
});
