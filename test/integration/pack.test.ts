import assert from "node:assert/strict";
import {
  chmod,
  mkdir,
  open,
  readFile,
  rename,
  statfs,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createDeflatePool } from "../../src/images/compress/index.ts";
import { createTempDir } from "../../src/ground/process/index.ts";
import {
  appendLayers,
  configOf,
  digestOf as digestOfBytes,
  emptyImage,
  imageDescriptor,
  manifestOf,
  MEDIA_TYPES,
  validateImage,
  type Layer,
  type UnhashedLayer,
} from "../../src/images/oci/index.ts";
import { inspectBase, type PackedImage } from "../../src/images/pack/index.ts";
import { pushImage } from "../../src/images/copy/index.ts";
import { readTar } from "../../src/images/tar/index.ts";
import { bytesLayer } from "../support/random-image.ts";
import { tarOf } from "../support/tiny-tar.ts";
import { packOne } from "../support/pack-context.ts";
import { libraryPlace, writeFiles } from "../support/pack-place.ts";

const CODE = "class Model:\n    def predict(self, X, names=None):\n        return X\n";
const files = {
  "Model.py": CODE,
  "lib/help.py": "x = 1\n",
  "weights.bin": Buffer.alloc(9 * 2 ** 20, 3),
  "small.onnx": "tiny",
};

const digestOf = async ({ image }: PackedImage): Promise<string> =>
  (await imageDescriptor(image)).digest;

test("the same project gives the same digest whatever its place, its times and its modes", async (t) => {
  const fixture = await libraryPlace(t);
  const [one, other] = [join(fixture.root, "one"), join(fixture.root, "two")];
  await writeFiles(one, files);
  await writeFiles(other, Object.fromEntries(Object.entries(files).reverse()));
  await utimes(join(other, "Model.py"), 1, 1);
  await chmod(join(other, "lib/help.py"), 0o600);
  const first = await digestOf(await packOne(fixture.project(one), fixture.base, fixture.context));
  const fresh = await libraryPlace(t);
  const second = await digestOf(await packOne(fresh.project(other), fresh.base, fresh.context));
  assert.equal(second, first);
});

// A change here changes every user's images: review it, then run the test once with SLIPWAY_UPDATE_GOLDEN=1.
const GOLDEN = join(import.meta.dirname, "../fixtures/golden/packed-image.json");

test("a fixed folder gives the digests that it has always given", async (t) => {
  const fixture = await libraryPlace(t);
  const folder = join(fixture.root, "p");
  await writeFiles(folder, files);
  const { image, layers } = await packOne(fixture.project(folder), fixture.base, fixture.context);
  const found = {
    image: (await imageDescriptor(image)).digest,
    config: (await manifestOf(image)).config.digest,
    layers: Object.fromEntries(
      await Promise.all(
        layers.map(async ({ label, layer }) => [label, (await layer.descriptor()).digest]),
      ),
    ),
  };
  if (process.env["SLIPWAY_UPDATE_GOLDEN"] === "1")
    await writeFile(GOLDEN, `${JSON.stringify(found, undefined, 2)}\n`);
  assert.deepEqual(found, JSON.parse(await readFile(GOLDEN, "utf8")));
});

test("neither the file system nor the number of compressor threads shows in the digest", async (t) => {
  const bulky = {
    ...files,
    ...Object.fromEntries(
      Array.from({ length: 6 }, (_, index) => [`data/${index}.txt`, `${index} `.repeat(700_000)]),
    ),
  };
  const digests = new Set<string>();
  const kinds = new Set<number>();
  for (const [parent, threads] of [
    [tmpdir(), 1],
    ["/dev/shm", 7],
  ] as const) {
    const fixture = await libraryPlace(t);
    await using place = await createTempDir("slipway-place", parent).catch(() =>
      createTempDir("slipway-place"),
    );
    await using pool = createDeflatePool({ threads });
    kinds.add((await statfs(place.path)).type);
    await writeFiles(join(place.path, "p"), bulky);
    digests.add(
      await digestOf(
        await packOne(fixture.project(join(place.path, "p")), fixture.base, {
          ...fixture.context,
          pool,
        }),
      ),
    );
  }
  assert.equal(digests.size, 1);
  if (kinds.size < 2) t.diagnostic("there is only one kind of file system here");
});

test("a packed image is whole: every digest, size and count can be derived again", async (t) => {
  const fixture = await libraryPlace(t);
  const folder = join(fixture.root, "p");
  await writeFiles(folder, files);
  const packed = await packOne(fixture.project(folder), fixture.base, fixture.context);
  const { layers } = await validateImage(packed.image);
  assert.equal(layers, packed.layers.length);
  assert.deepEqual(
    packed.layers.map(({ kind }) => kind),
    ["node", "server", "model", "model", "code", "description"],
  );
  const config = await configOf(packed.image);
  assert.equal(config.config?.User, "8888:0");
  assert.deepEqual(config.config?.Entrypoint, ["/opt/slipway/node", "/opt/slipway/server.mjs"]);
  assert.deepEqual(Object.keys(config.config?.ExposedPorts ?? {}), [
    "9000/tcp",
    "5000/tcp",
    "6000/tcp",
  ]);
  assert.equal(config.history?.length, layers);
});

test("files stand where they belong, with plain modes and owners, and parents once", async (t) => {
  const fixture = await libraryPlace(t);
  const folder = join(fixture.root, "p");
  await writeFiles(folder, files);
  await mkdir(join(folder, "logs"));
  const packed = await packOne(
    fixture.project(folder),
    {
      ...fixture.base,
      facts: { ...fixture.base.facts, directories: { "/app": { mode: 0o2750, uid: 5, gid: 6 } } },
    },
    fixture.context,
  );
  const found: string[] = [];
  for (const { layer, kind } of packed.layers.filter(
    (item) => item.kind === "model" || item.kind === "code",
  )) {
    const descriptor = await layer.descriptor();
    const { uncompressed } = await import("../../src/images/oci/index.ts");
    for await (const { entry } of readTar(uncompressed(layer.open(), descriptor.mediaType)))
      found.push(
        `${kind} ${entry.path} ${entry.mode.toString(8)} ${entry.uid}:${entry.gid}${entry.linkTarget === undefined ? "" : ` -> ${entry.linkTarget}`}`,
      );
  }
  assert.deepEqual(found, [
    "model models 775 0:0",
    "model models/small.onnx 644 0:0",
    "model models 775 0:0",
    "model models/weights.bin 644 0:0",
    "code app 2750 5:6",
    "code app/Model.py 644 0:0",
    "code app/lib 755 0:0",
    "code app/lib/help.py 644 0:0",
    "code app/logs 775 0:0",
    "code app/small.onnx 777 0:0 -> ../models/small.onnx",
    "code app/weights.bin 777 0:0 -> ../models/weights.bin",
  ]);
});

test("after a change of code the weights are not read again", async (t) => {
  const fixture = await libraryPlace(t);
  const folder = join(fixture.root, "p");
  await writeFiles(folder, files);
  await new Promise((resolve) => setTimeout(resolve, 50)); // the digest cache keeps no file younger than the clock's step
  const before = await packOne(fixture.project(folder), fixture.base, fixture.context);
  await pushImage(before.image, fixture.store);
  await writeFile(join(folder, "Model.py"), `${CODE}# changed\n`);
  const after = await packOne(fixture.project(folder), fixture.base, fixture.context);
  assert.deepEqual(
    after.layers.map(({ kind, state }) => `${kind} ${state}`),
    [
      "node cached",
      "server cached",
      "model cached",
      "model cached",
      "code new",
      "description cached",
    ],
  );
  assert.notEqual(await digestOf(after), await digestOf(before));
});

test("a weight of 8 GiB is planned in no time and no space, and its header says its size", async (t) => {
  const fixture = await libraryPlace(t);
  const folder = join(fixture.root, "p");
  await writeFiles(folder, { "Model.py": CODE });
  const path = join(folder, "huge.bin");
  await (await open(path, "w")).close();
  await truncate(path, 8 * 2 ** 30);
  const packed = await packOne(fixture.project(folder), fixture.base, fixture.context);
  const layer = packed.layers.find(({ kind }) => kind === "model")?.layer as UnhashedLayer;
  assert.equal(await layer.known(), undefined);
  assert.ok(layer.size > 8 * 2 ** 30);
  for await (const chunk of layer.open()) {
    assert.ok(Buffer.from(chunk).includes(`size=${8 * 2 ** 30}\n`));
    break;
  }
});

test("a weight that changes after it was planned is refused by name", async (t) => {
  const fixture = await libraryPlace(t);
  const folder = join(fixture.root, "p");
  await writeFiles(folder, files);
  const packed = await packOne(fixture.project(folder), fixture.base, fixture.context);
  await writeFile(join(folder, "new.bin"), Buffer.alloc(9 * 2 ** 20, 4));
  await rename(join(folder, "new.bin"), join(folder, "weights.bin"));
  await assert.rejects(validateImage(packed.image), {
    code: "FILE_CHANGED",
    message: /weights\.bin/,
  });
});

test("secrets stop a pack before anything is made", async (t) => {
  const fixture = await libraryPlace(t);
  const folder = join(fixture.root, "p");
  await writeFiles(folder, { ...files, ".env": "PASSWORD=x" });
  await assert.rejects(packOne(fixture.project(folder), fixture.base, fixture.context), {
    code: "SECRET_IN_CONTEXT",
    message: /\.env/,
  });
  const allowed = await packOne(
    fixture.project(folder, { allowSecrets: [".env"] }),
    fixture.base,
    fixture.context,
  );
  assert.equal(allowed.layers.length, 6);
});

test("a base without glibc, libstdc++ or a needed Python is refused before any work", async (t) => {
  const fixture = await libraryPlace(t);
  const folder = join(fixture.root, "p");
  await writeFiles(folder, files);
  const { facts } = fixture.base;
  for (const [change, what] of [
    [{ glibc: undefined }, /glibc/],
    [{ sonames: [] }, /libstdc/],
    [{ python: undefined }, /Python/],
  ] as const) {
    await assert.rejects(
      packOne(
        fixture.project(folder),
        { ...fixture.base, facts: { ...facts, ...change } },
        fixture.context,
      ),
      { code: "BASE_UNSUITABLE", message: what },
    );
  }
});

test("a base with too many layers is refused with the count", async (t) => {
  const fixture = await libraryPlace(t);
  const folder = join(fixture.root, "p");
  await writeFiles(folder, files);
  const { randomImage } = await import("../support/random-image.ts");
  const deep = { ...fixture.base, image: randomImage({ layers: 125, seed: 1, bytes: 16 }) };
  await assert.rejects(packOne(fixture.project(folder), deep, fixture.context), {
    code: "LAYER_LIMIT",
    message: /131 layers/,
  });
});

test("what a foreign base holds is read from its layers once", async (t) => {
  const fixture = await libraryPlace(t);
  const folder = join(fixture.root, "p");
  await writeFiles(folder, { ...files, "lib/x.so": "" });
  const { image } = await packOne(fixture.project(folder), fixture.base, fixture.context);
  const digest = (await imageDescriptor(image)).digest;
  let reads = 0;
  const cache = fixture.store.cache("base");
  const first = await inspectBase(image, { digest, cache, onRead: () => (reads += 1) });
  const second = await inspectBase(image, { digest, cache, onRead: () => (reads += 1) });
  assert.deepEqual(second, first);
  assert.equal(reads, 1);
  assert.deepEqual(first.directories["/app"], { mode: 0o775, uid: 0, gid: 0 });
  assert.equal((await manifestOf(image)).layers.length, 6);
});

test("what an upper layer of a base takes away is not there", async (t) => {
  const fixture = await libraryPlace(t);
  const layerOf = (entries: Parameters<typeof tarOf>[0]): Layer =>
    bytesLayer(tarOf(entries), MEDIA_TYPES.layerTar, digestOfBytes(tarOf(entries)));
  const below = layerOf({
    "usr/bin/python3.9": "",
    "usr/local/bin/python3.11": "",
    "opt/conda/bin/python3.12": "",
    "usr/bin/python": "",
    "opt/conda/lib/python3.12/site-packages/": { type: "5", mode: 0o775 },
  });
  const above = layerOf({
    "usr/local/bin/.wh.python3.11": "",
    "usr/bin/.wh.python": "",
    "opt/.wh..wh..opq": "",
  });
  const facts = async (...layers: readonly Layer[]) => {
    const image = appendLayers(
      emptyImage({ os: "linux", architecture: "amd64" }),
      layers.map((layer) => ({ layer, history: {} })),
    );
    return inspectBase(image, {
      digest: (await imageDescriptor(image)).digest,
      cache: fixture.store.cache("base"),
    });
  };
  const [whole, less] = [await facts(below), await facts(below, above)];
  assert.deepEqual(
    [
      whole.python?.executable,
      whole.python?.hasPlainName,
      whole.directories["/opt/conda/lib/python3.12/site-packages"]?.mode,
    ],
    ["/usr/local/bin/python3.11", true, 0o775],
  );
  assert.deepEqual(
    [less.python?.executable, less.python?.hasPlainName, less.directories],
    ["/usr/bin/python3.9", false, {}],
  );
});
