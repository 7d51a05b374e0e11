import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createTempDir } from "../../../ground/process/index.ts";
import { digestOf, EMPTY_DESCRIPTOR, MEDIA_TYPES, type Digest } from "../../oci/index.ts";
import { createKnownPlaces } from "./known-places.ts";

const [ONE, TWO] = [digestOf(Buffer.from("one")), digestOf(Buffer.from("two"))];

test("what a manifest needs is known where the manifest is, in this process and in later ones", async (t) => {
  const stateDir = await folder(t);
  const first = createKnownPlaces({ registry: "host.test:5000", stateDir });
  first.noteManifest("base/python", manifest([ONE]));
  first.noteManifest("team/iris", manifest([ONE, TWO]));
  assert.deepEqual(await first.repositoriesOf(ONE), ["team/iris", "base/python"]);
  await first.save();
  const later = createKnownPlaces({ registry: "host.test:5000", stateDir });
  assert.deepEqual(
    [await later.repositoriesOf(ONE), await later.repositoriesOf(TWO)],
    [["team/iris", "base/python"], ["team/iris"]],
  );
  const [file = ""] = await readdir(join(stateDir, "mounts"));
  assert.equal((await stat(join(stateDir, "mounts", file))).mode & 0o777, 0o600);
});

test("another registry knows nothing of it, and without a state folder nothing outlives the process", async (t) => {
  const stateDir = await folder(t);
  const places = createKnownPlaces({ registry: "one.test", stateDir });
  places.noteManifest("a", manifest([ONE]));
  await places.save();
  assert.deepEqual(
    await createKnownPlaces({ registry: "two.test", stateDir }).repositoriesOf(ONE),
    [],
  );
  const unkept = createKnownPlaces({ registry: "one.test" });
  unkept.noteManifest("a", manifest([ONE]));
  await unkept.save();
  assert.deepEqual(await unkept.repositoriesOf(ONE), ["a"]);
});

test("what turned out not to be there is forgotten for good", async (t) => {
  const stateDir = await folder(t);
  for (const [noted, lost] of [
    ["a", ""],
    ["b", "a"],
  ] as const) {
    const places = createKnownPlaces({ registry: "host.test", stateDir });
    places.noteManifest(noted, manifest([ONE]));
    if (lost !== "") places.forget(ONE, lost);
    await places.save();
  }
  assert.deepEqual(
    await createKnownPlaces({ registry: "host.test", stateDir }).repositoriesOf(ONE),
    ["b"],
  );
});

test("two processes that save one after the other lose nothing of each other", async (t) => {
  const stateDir = await folder(t);
  const [one, two] = [
    createKnownPlaces({ registry: "host.test", stateDir }),
    createKnownPlaces({ registry: "host.test", stateDir }),
  ];
  await two.repositoriesOf(ONE);
  one.noteManifest("a", manifest([ONE]));
  two.noteManifest("b", manifest([TWO]));
  await one.save();
  await two.save();
  const later = createKnownPlaces({ registry: "host.test", stateDir });
  assert.deepEqual(
    [await later.repositoriesOf(ONE), await later.repositoriesOf(TWO)],
    [["a"], ["b"]],
  );
});

test("the state is bounded: three repositories a blob, and the oldest blobs go", async (t) => {
  const stateDir = await folder(t);
  const places = createKnownPlaces({ registry: "host.test", stateDir });
  const many = Array.from({ length: 2100 }, (_, index) => digestOf(Buffer.from(`blob ${index}`)));
  places.noteManifest("many", manifest(many));
  for (const repository of ["a", "b", "c", "d"]) places.noteManifest(repository, manifest([ONE]));
  await places.save();
  const later = createKnownPlaces({ registry: "host.test", stateDir });
  assert.deepEqual(await later.repositoriesOf(ONE), ["d", "c", "b"]);
  assert.deepEqual(await later.repositoriesOf(many[0] ?? ONE), []);
  assert.deepEqual(await later.repositoriesOf(many.at(-1) ?? ONE), ["many"]);
});

test("tiny blobs, indexes and rubbish are not noted", async () => {
  const places = createKnownPlaces({ registry: "host.test" });
  places.noteManifest("a", manifest([ONE], 100));
  places.noteManifest(
    "a",
    Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests: [] }),
    ),
  );
  places.noteManifest("a", Buffer.from("rubbish"));
  assert.deepEqual(await places.repositoriesOf(ONE), []);
});

test("a file that came to harm is passed over, and replaced", async (t) => {
  for (const text of [
    "",
    "{",
    "null",
    "[]",
    `{"blobs":7}`,
    `{"blobs":{"sha256:x":["a"],"${ONE}":"a"}}`,
    `{"blobs":{"${ONE}":["../etc","UP",7]}}`,
  ]) {
    const stateDir = await folder(t);
    await mkdir(join(stateDir, "mounts"));
    const path = join(stateDir, "mounts", "host.test.json");
    await writeFile(path, text);
    const places = createKnownPlaces({ registry: "host.test", stateDir });
    assert.deepEqual(await places.repositoriesOf(ONE), [], text);
    places.noteManifest("a", manifest([ONE]));
    await places.save();
    assert.match(await readFile(path, "utf8"), /"a"/);
  }
});

function manifest(layers: readonly Digest[], size = 5000): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.imageManifest,
      config: EMPTY_DESCRIPTOR,
      layers: layers.map((digest) => ({ mediaType: MEDIA_TYPES.layerTar, digest, size })),
    }),
  );
}

async function folder(t: TestContext): Promise<string> {
  const made = await createTempDir("known-places");
  t.after(() => made[Symbol.asyncDispose]());
  return made.path;
}
