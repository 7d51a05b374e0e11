import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFile, mkdir, open, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { guardOf, planOf } from "../../src/ground/bytes/index.ts";
import { createTempDir, run, type TempDir } from "../../src/ground/process/index.ts";
import {
  createImageArchive,
  createLayout,
  openArchive,
  openLayout,
  tagReference,
  writeArchive,
  type ArchivedImage,
} from "../../src/images/layout/index.ts";
import {
  digestOf,
  MEDIA_TYPES,
  parseManifest,
  type Descriptor,
  type Reference,
  type Source,
} from "../../src/images/oci/index.ts";
import { createStore, type Store } from "../../src/images/store/index.ts";
import { requireDockerd } from "../support/dockerd.ts";
import { requirePeer } from "../support/peers.ts";
import { bytesOf, putBytes, putSmallImage, putSmallIndex } from "../support/small-image.ts";
import { entryOf, tarOf } from "../support/tiny-tar.ts";

const iris: Reference = { registry: "store", repository: "iris", tag: "v1" };
const team: Reference = { registry: "registry.test:5000", repository: "team/iris", tag: "v2" };

function storeIn(folder: TempDir): Store {
  return createStore({ dataDir: join(folder.path, "data"), cacheDir: join(folder.path, "cache") });
}

/** Writes an archive of images that are in a store. */
async function archiveIn(
  folder: TempDir,
  source: Source,
  images: readonly ArchivedImage[],
): Promise<string> {
  const path = join(folder.path, "image.tar");
  await writeArchive(path, await createImageArchive(source, images));
  return path;
}

/** Reads every blob of an image; throws when one is missing or wrong. */
async function readImage(source: Source, descriptor: Descriptor): Promise<readonly Buffer[]> {
  const manifest = parseManifest(await bytesOf(source.open(descriptor)));
  const blobs: Buffer[] = [];
  for (const blob of [manifest.config, ...manifest.layers])
    blobs.push(await bytesOf(source.open(blob)));
  return blobs;
}

function podmanIn(podman: string, folder: TempDir): readonly [string, ...string[]] {
  return [
    podman,
    "--root",
    join(folder.path, "podman-root"),
    "--runroot",
    join(folder.path, "podman-run"),
    "--storage-driver",
    "vfs",
  ];
}

test("one archive has the same bytes each time, and the same for the same image in another place", async () => {
  await using folder = await createTempDir("archive");
  const store = storeIn(folder);
  const layout = await createLayout(join(folder.path, "layout"));
  const images = [{ descriptor: await putSmallImage(store), references: [iris, team] }];
  await putSmallImage(layout);
  const archive = await createImageArchive(store, images);
  const first = await bytesOf(archive.open());
  assert.equal(first.byteLength, archive.size);
  assert.deepEqual(await bytesOf(archive.open()), first);
  assert.deepEqual(await bytesOf((await createImageArchive(layout, images)).open()), first);
  assert.equal(createHash("sha256").update(first).digest("hex").length, 64);
});

test("what was written is read back: names, digests, content", async () => {
  await using folder = await createTempDir("archive");
  const store = storeIn(folder);
  const one = await putSmallImage(store, { seed: "one" });
  const two = await putSmallImage(store, { seed: "two" });
  const path = await archiveIn(folder, store, [
    { descriptor: one, references: [iris] },
    { descriptor: two, references: [team] },
  ]);
  await using archive = await openArchive(path);
  assert.deepEqual(await archive.resolve(iris), one);
  assert.deepEqual(await archive.resolve(team), two);
  assert.deepEqual(await readImage(archive, one), await readImage(store, one));
  await assert.rejects(archive.resolve({ ...team, tag: "v9" }), {
    code: "REFERENCE_NOT_FOUND",
    message: /"docker\.io\/library\/iris:v1", "registry\.test:5000\/team\/iris:v2"/,
  });
});

test("an archive without names gives its only image to whoever asks for none", async () => {
  await using folder = await createTempDir("archive");
  const store = storeIn(folder);
  const image = await putSmallImage(store);
  await using archive = await openArchive(
    await archiveIn(folder, store, [{ descriptor: image, references: [] }]),
  );
  assert.deepEqual(await archive.resolve(tagReference()), image);
});

test("weights go from their file into the archive; a changed file leaves no archive", async () => {
  await using folder = await createTempDir("archive");
  const store = storeIn(folder);
  const weights = join(folder.path, "weights.bin");
  await writeFile(weights, Buffer.alloc(5 << 20, "w"));
  const plan = planOf([
    { kind: "file", path: weights, guard: guardOf(await stat(weights, { bigint: true })) },
  ]);
  const layer: Descriptor = {
    mediaType: MEDIA_TYPES.layerTar,
    digest: digestOf(await readFile(weights)),
    size: plan.size,
  };
  await store.putPlan(layer, plan);
  const config = await putBytes(
    store,
    Buffer.from(
      JSON.stringify({
        architecture: "amd64",
        os: "linux",
        rootfs: { type: "layers", diff_ids: [layer.digest] },
      }),
    ),
    MEDIA_TYPES.imageConfig,
  );
  const image = await putBytes(
    store,
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.imageManifest,
        config,
        layers: [layer],
      }),
    ),
    MEDIA_TYPES.imageManifest,
  );
  const path = await archiveIn(folder, store, [{ descriptor: image, references: [iris] }]);
  {
    await using archive = await openArchive(path);
    assert.equal((await bytesOf(archive.open(layer))).byteLength, layer.size);
  }
  await appendFile(weights, "x");
  const again = await createImageArchive(store, [{ descriptor: image, references: [iris] }]);
  await assert.rejects(writeArchive(join(folder.path, "again.tar"), again), {
    code: "FILE_CHANGED",
    message: /weights\.bin/,
  });
  await assert.rejects(stat(join(folder.path, "again.tar")), { code: "ENOENT" });
});

test("a layer of more than 8 GiB has a size that GNU tar understands", async (t) => {
  await using folder = await createTempDir("archive");
  const size = 9 * 2 ** 30;
  const layer: Descriptor = {
    mediaType: MEDIA_TYPES.layerTar,
    digest: digestOf(Buffer.from("no")),
    size,
  };
  const layout = await createLayout(join(folder.path, "layout"));
  const config = await putBytes(
    layout,
    Buffer.from(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`),
    MEDIA_TYPES.imageConfig,
  );
  const manifest = await putBytes(
    layout,
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.imageManifest,
        config,
        layers: [layer],
      }),
    ),
    MEDIA_TYPES.imageManifest,
  );
  const path = join(folder.path, "large.tar");
  let position = 0;
  // The content of the layer is a hole in the file.
  const source: Source = {
    resolve: (reference) => layout.resolve(reference),
    open: (target) =>
      target.digest === layer.digest ? hole(() => (position += size)) : layout.open(target),
  };
  const archive = await createImageArchive(source, [{ descriptor: manifest, references: [] }]);
  {
    await using file = await open(path, "w");
    for await (const chunk of archive.open()) {
      await file.write(chunk, 0, chunk.byteLength, position);
      position += chunk.byteLength;
    }
  }
  assert.equal((await stat(path)).size, archive.size);
  const tar = await requirePeer(t, "tar");
  if (tar === undefined) return;
  assert.match(
    (await run([tar, "-tvf", path])).stdout.toString(),
    new RegExp(` ${size} .*blobs/sha256/${layer.digest.slice(7)}`),
  );
  await using read = await openArchive(path);
  assert.deepEqual(await read.resolve(tagReference()), manifest);
});

async function* hole(skip: () => void): AsyncGenerator<Uint8Array> {
  skip();
  yield new Uint8Array(0);
}

test("an archive that comes as a stream is kept without a name until it is disposed", async () => {
  await using folder = await createTempDir("archive");
  const store = storeIn(folder);
  const image = await putSmallImage(store);
  const stream = (
    await createImageArchive(store, [{ descriptor: image, references: [iris] }])
  ).open();
  await mkdir(join(folder.path, "tmp"));
  await using archive = await openArchive(stream, { temporaryDir: join(folder.path, "tmp") });
  assert.deepEqual(await readdir(join(folder.path, "tmp")), []);
  assert.deepEqual(
    await readImage(archive, await archive.resolve(iris)),
    await readImage(store, image),
  );
});

for (const [how, compress] of [
  ["gzip", gzipSync],
  ["zstd", zstdCompressSync],
] as const) {
  test(`an archive that is compressed with ${how} as a whole is read, and leaves nothing behind`, async () => {
    await using folder = await createTempDir("archive");
    const store = storeIn(folder);
    const image = await putSmallImage(store);
    const path = await archiveIn(folder, store, [{ descriptor: image, references: [iris] }]);
    await writeFile(path, compress(await readFile(path)));
    await mkdir(join(folder.path, "tmp"));
    {
      await using archive = await openArchive(path, { temporaryDir: join(folder.path, "tmp") });
      assert.deepEqual(
        await readImage(archive, await archive.resolve(iris)),
        await readImage(store, image),
      );
      assert.deepEqual(await readdir(join(folder.path, "tmp")), []);
    }
    await assert.rejects(openArchive(path, { maxUnpackedBytes: 1000 }), { code: "LIMIT_EXCEEDED" });
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, bytes.byteLength - 40));
    await assert.rejects(openArchive(path), { code: "ARCHIVE_INVALID" });
  });
}

const DOCKER_CONFIG = (layers: readonly Uint8Array[]): string =>
  JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: layers.map(digestOf) },
  });
const layerTar = tarOf({ "a.txt": "a" });
const otherTar = tarOf({ "b.txt": "b" });

const DOCKER_FORMS: readonly (readonly [string, Buffer])[] = [
  [
    "crane's, gzipped layers named after their digest",
    tarOf({
      "sha256:abc": DOCKER_CONFIG([layerTar]),
      "manifest.json": JSON.stringify([
        {
          Config: "sha256:abc",
          RepoTags: ["iris:v1"],
          Layers: [`${digestOf(gzipSync(layerTar)).slice(7)}.tar.gz`],
        },
      ]),
      [`${digestOf(gzipSync(layerTar)).slice(7)}.tar.gz`]: gzipSync(layerTar),
    }),
  ],
  [
    "gzipped layers named after what they unpack to",
    tarOf({
      "c.json": DOCKER_CONFIG([layerTar]),
      "manifest.json": JSON.stringify([
        { Config: "c.json", RepoTags: ["iris:v1"], Layers: [digestOf(layerTar).slice(7)] },
      ]),
      [digestOf(layerTar).slice(7)]: gzipSync(layerTar),
    }),
  ],
  [
    "Docker's before 25: folders, links from one layer to another",
    tarOf({
      "c.json": DOCKER_CONFIG([layerTar, layerTar]),
      "one/layer.tar": layerTar,
      "two/layer.tar": { type: "2", link: "../one/layer.tar" },
      "manifest.json": JSON.stringify([
        { Config: "c.json", RepoTags: ["iris:v1"], Layers: ["one/layer.tar", "two/layer.tar"] },
      ]),
    }),
  ],
  [
    "Docker's with an empty index beside",
    tarOf({
      "oci-layout": "{}",
      "index.json": `{"schemaVersion":2,"manifests":[]}`,
      "c.json": DOCKER_CONFIG([layerTar]),
      "l.tar": layerTar,
      "manifest.json": JSON.stringify([
        { Config: "c.json", RepoTags: ["iris:v1"], Layers: ["l.tar"] },
      ]),
    }),
  ],
];
for (const [form, bytes] of DOCKER_FORMS) {
  test(`an archive of this form is read: ${form}`, async () => {
    await using folder = await createTempDir("archive");
    await writeFile(join(folder.path, "a.tar"), bytes);
    await using archive = await openArchive(join(folder.path, "a.tar"));
    const image = await archive.resolve(iris);
    const [, layer] = await readImage(archive, image);
    assert.ok(
      layer !== undefined &&
        [digestOf(layerTar), digestOf(gzipSync(layerTar))].includes(digestOf(layer)),
    );
    await using again = await openArchive(join(folder.path, "a.tar"));
    assert.deepEqual(await again.resolve(iris), image);
  });
}

const LIST = (image: object): string =>
  JSON.stringify([{ Config: "c.json", RepoTags: [], Layers: ["l.tar"], ...image }]);
const HOSTILE: readonly (readonly [string, Buffer, RegExp])[] = [
  ["an archive of something else", tarOf({ "readme.txt": "hello" }), /no image archive/],
  [
    "a config that is not there",
    tarOf({ "manifest.json": LIST({}), "l.tar": layerTar }),
    /no file "c\.json"/,
  ],
  [
    "a config above the archive",
    tarOf({ "manifest.json": LIST({ Config: "../../etc/passwd" }) }),
    /no file/,
  ],
  [
    "a config at an absolute path",
    tarOf({ "manifest.json": LIST({ Config: "/etc/passwd" }) }),
    /no file/,
  ],
  [
    "a layer that is a link out",
    tarOf({
      "manifest.json": LIST({}),
      "c.json": DOCKER_CONFIG([layerTar]),
      "l.tar": { type: "2", link: "../../etc/passwd" },
    }),
    /no file "l\.tar"/,
  ],
  [
    "a layer that is a link to an absolute path",
    tarOf({
      "manifest.json": LIST({}),
      "c.json": DOCKER_CONFIG([layerTar]),
      "l.tar": { type: "1", link: "/etc/passwd" },
    }),
    /no file/,
  ],
  [
    "links in a circle",
    tarOf({
      "manifest.json": LIST({}),
      "c.json": DOCKER_CONFIG([layerTar]),
      "l.tar": { type: "2", link: "m.tar" },
      "m.tar": { type: "2", link: "l.tar" },
    }),
    /no file/,
  ],
  [
    "fewer layers than the config names",
    tarOf({
      "manifest.json": LIST({}),
      "c.json": DOCKER_CONFIG([layerTar, otherTar]),
      "l.tar": layerTar,
    }),
    /names 2 layers, but there are 1/,
  ],
  [
    "a config of gigabytes",
    tarOf({ "manifest.json": LIST({}), "c.json": Buffer.alloc(9 << 20, " "), "l.tar": layerTar }),
    /more than/,
  ],
  [
    "a name that is none",
    tarOf({
      "manifest.json": LIST({ RepoTags: ["UPPER CASE"] }),
      "c.json": DOCKER_CONFIG([layerTar]),
      "l.tar": layerTar,
    }),
    /no image name/,
  ],
  ["a list that is none", tarOf({ "manifest.json": `{"Config":"c.json"}` }), /list/],
  [
    "a file that is cut",
    tarOf({ "oci-layout": "{}", "index.json": `{"schemaVersion":2,"manifests":[]}` }).subarray(
      0,
      1300,
    ),
    /cut short/,
  ],
  [
    "a device",
    Buffer.concat([entryOf("sda", { type: "4" }), tarOf({ "manifest.json": "[]" })]),
    /neither/,
  ],
];
for (const [what, bytes, why] of HOSTILE) {
  test(`${what} is refused`, async () => {
    await using folder = await createTempDir("archive");
    await writeFile(join(folder.path, "a.tar"), bytes);
    await assert.rejects(openArchive(join(folder.path, "a.tar")), {
      code: "ARCHIVE_INVALID",
      message: why,
    });
  });
}

test("a layer that is not what the config or its name says does not end cleanly", async () => {
  await using folder = await createTempDir("archive");
  const path = join(folder.path, "a.tar");
  const lying = digestOf(Buffer.from("other")).slice(7);
  for (const files of [{ "l.tar": otherTar }, { [`${lying}.tar.gz`]: gzipSync(layerTar) }]) {
    await writeFile(
      path,
      tarOf({
        "manifest.json": LIST({ Layers: Object.keys(files) }),
        "c.json": DOCKER_CONFIG([layerTar]),
        ...files,
      }),
    );
    await using archive = await openArchive(path);
    await assert.rejects(readImage(archive, await archive.resolve(tagReference())), {
      code: "DIGEST_MISMATCH",
    });
  }
});

test("a blob in an OCI archive that is not what its name says does not end cleanly", async () => {
  await using folder = await createTempDir("archive");
  const image: Descriptor = {
    mediaType: MEDIA_TYPES.imageManifest,
    digest: digestOf(Buffer.from("{}")),
    size: 2,
  };
  await writeFile(
    join(folder.path, "a.tar"),
    tarOf({
      "oci-layout": "{}",
      "index.json": JSON.stringify({ schemaVersion: 2, manifests: [image] }),
      [`blobs/sha256/${image.digest.slice(7)}`]: "[]",
    }),
  );
  await using archive = await openArchive(join(folder.path, "a.tar"));
  await assert.rejects(bytesOf(archive.open(image)), { code: "DIGEST_MISMATCH" });
});

for (const path of ["/nonexistent/a.tar", "/tmp", "/dev/zero"]) {
  test(`"${path}" is no archive`, () =>
    assert.rejects(openArchive(path), { code: "ARCHIVE_INVALID" }));
}

test("skopeo reads our layouts and archives, and we read the ones it writes", async (t) => {
  const skopeo = await requirePeer(t, "skopeo");
  if (skopeo === undefined) return;
  await using folder = await createTempDir("archive");
  const layout = await createLayout(join(folder.path, "layout"));
  const image = await putSmallImage(layout, { layers: [{ "a.txt": "a" }, { "b.txt": "b" }] });
  await layout.tag(image, tagReference("v1"));
  const path = await archiveIn(folder, layout, [{ descriptor: image, references: [iris] }]);
  const copy = async (from: string, to: string): Promise<void> =>
    void (await run([skopeo, "--insecure-policy", "copy", from, to]));
  await copy(`oci:${layout.path}:v1`, `dir:${folder.path}/dir`);
  await copy(`oci-archive:${path}:v1`, `oci:${folder.path}/copied:v1`);
  await copy(`docker-archive:${path}:iris:v1`, `oci:${folder.path}/from-docker:v1`);
  assert.deepEqual(await openLayout(`${folder.path}/copied`).resolve(tagReference("v1")), image);
  await copy(`oci:${layout.path}:v1`, `oci-archive:${folder.path}/theirs.tar:v1`);
  await copy(`oci:${layout.path}:v1`, `docker-archive:${folder.path}/docker.tar:team/iris:v3`);
  await using theirs = await openArchive(`${folder.path}/theirs.tar`);
  assert.deepEqual(await theirs.resolve(tagReference("v1")), image);
  await using docker = await openArchive(`${folder.path}/docker.tar`);
  const fromDocker = await docker.resolve({
    registry: "docker.io",
    repository: "team/iris",
    tag: "v3",
  });
  const config = parseManifest(await bytesOf(docker.open(fromDocker))).config;
  assert.equal(config.digest, parseManifest(await bytesOf(layout.open(image))).config.digest);
  await readImage(docker, fromDocker);
});

test("skopeo reads images of the store where it lies", async (t) => {
  const skopeo = await requirePeer(t, "skopeo");
  if (skopeo === undefined) return;
  await using folder = await createTempDir("archive");
  const store = storeIn(folder);
  await store.tag(await putSmallImage(store), iris);
  await store.tag(await putSmallIndex(store, ["amd64", "arm64"]), team);
  await run([
    skopeo,
    "--insecure-policy",
    "copy",
    `oci:${store.dataDir}:iris:v1`,
    `dir:${folder.path}/dir`,
  ]);
  await run([
    skopeo,
    "--insecure-policy",
    "copy",
    "--all",
    `oci:${store.dataDir}:registry.test:5000/team/iris:v2`,
    `oci:${folder.path}/layout:v2`,
  ]);
});

test("podman loads our archive under its names, and we read the ones it saves", async (t) => {
  const podman = await requirePeer(t, "podman");
  if (podman === undefined) return;
  await using folder = await createTempDir("archive");
  const store = storeIn(folder);
  const image = await putSmallImage(store, { layers: [{ "a.txt": "a" }, { "b.txt": "b" }] });
  const path = await archiveIn(folder, store, [{ descriptor: image, references: [team] }]);
  const command = podmanIn(podman, folder);
  const loaded = await run([...command, "load", "-q", "-i", path]);
  assert.match(loaded.stdout.toString(), /registry\.test:5000\/team\/iris:v2/);
  for (const format of ["oci-archive", "docker-archive"]) {
    const saved = join(folder.path, `${format}.tar`);
    await run([
      ...command,
      "save",
      "-q",
      "--format",
      format,
      "-o",
      saved,
      "registry.test:5000/team/iris:v2",
    ]);
    await using archive = await openArchive(saved);
    const found = await archive.resolve(team);
    await readImage(archive, found);
    assert.equal(parseManifest(await bytesOf(archive.open(found))).layers.length, 2, format);
  }
});

test("docker loads our archive under its names, and we read the one it saves", async (t) => {
  await using folder = await createTempDir("archive");
  const daemon = await requireDockerd(t);
  if (daemon === undefined) return;
  const store = storeIn(folder);
  const image = await putSmallImage(store, {
    layers: [{ "a.txt": "a" }, { "b.txt": "b" }],
    compress: false,
  });
  const gzipped = await putSmallImage(store, { layers: [{ "c.txt": "c" }], seed: "gzipped" });
  const index = await putSmallIndex(store, ["amd64", "arm64"]);
  const path = await archiveIn(folder, store, [
    { descriptor: image, references: [iris, team] },
    { descriptor: gzipped, references: [{ ...iris, repository: "gzipped" }] },
    { descriptor: index, references: [{ ...iris, repository: "index" }] },
  ]);
  const loaded = await daemon.docker("load", "-i", path);
  for (const name of ["iris:v1", "registry.test:5000/team/iris:v2", "gzipped:v1", "index:v1"])
    assert.ok(loaded.includes(`Loaded image: ${name}`), loaded);
  const id = (await daemon.docker("image", "inspect", "--format", "{{.Id}}", "iris:v1")).trim();
  assert.equal(id, parseManifest(await bytesOf(store.open(image))).config.digest);
  await daemon.docker("save", "-o", join(folder.path, "saved.tar"), "iris:v1", "gzipped:v1");
  await using saved = await openArchive(join(folder.path, "saved.tar"));
  for (const repository of ["iris", "gzipped"])
    await readImage(saved, await saved.resolve({ ...iris, repository }));
});

test("crane validates our archive", async (t) => {
  const crane = await requirePeer(t, "crane");
  if (crane === undefined) return;
  await using folder = await createTempDir("archive");
  const store = storeIn(folder);
  const image = await putSmallImage(store);
  const path = await archiveIn(folder, store, [{ descriptor: image, references: [iris] }]);
  await run([crane, "validate", "--tarball", path]);
});
