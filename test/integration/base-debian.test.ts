import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  addDebianPackages,
  buildDebianBase,
  inspectDebian,
  type BuildStep,
  type DebianBase,
} from "../../src/images/bases/index.ts";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import {
  appendLayers,
  configOf,
  imageDescriptor,
  mutateConfig,
  uncompressed,
  validateImage,
  type Image,
} from "../../src/images/oci/index.ts";
import { createStore, type Store } from "../../src/images/store/index.ts";
import { readTar, type TarEntry } from "../../src/images/tar/index.ts";
import { debianCacheDir, requireDebianBase, temporaryStore } from "../support/debian-base.ts";
import { findPeer, requirePeer } from "../support/peers.ts";
import { requireRootfs } from "../support/rootfs.ts";

let shared: Promise<{ readonly store: Store; readonly remove: () => Promise<void> }> | undefined;
after(async () => (await shared)?.remove());

/** One store for the tests that do not mind what others put there: layers are made once. */
async function sharedStore(): Promise<Store> {
  shared ??= createTempDir("shared-store").then((folder) => {
    const store = createStore({
      dataDir: join(folder.path, "data"),
      cacheDir: join(folder.path, "cache"),
    });
    const remove = async (): Promise<void> => {
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    };
    return { store, remove };
  });
  return (await shared).store;
}

async function digests(base: DebianBase): Promise<readonly string[]> {
  return Promise.all(base.images.map(async ({ image }) => (await imageDescriptor(image)).digest));
}

/** Every entry of an image, the topmost of each path. */
async function entriesOf(
  image: Image,
): Promise<ReadonlyMap<string, TarEntry & { readonly text: string }>> {
  const entries = new Map<string, TarEntry & { readonly text: string }>();
  for (const layer of await image.layers()) {
    const { mediaType } = await layer.descriptor();
    for await (const { entry, content } of readTar(uncompressed(layer.open(), mediaType), {
      refuseDuplicates: true,
    })) {
      const chunks: Uint8Array[] = [];
      if (entry.size < 300_000) for await (const chunk of content) chunks.push(chunk);
      entries.set(entry.path, { ...entry, text: Buffer.concat(chunks).toString("utf8") });
    }
  }
  return entries;
}

test("a base is the same on another machine, for both architectures, and small", async (t) => {
  const store = await temporaryStore(t);
  const base = await requireDebianBase(t, {
    include: ["python3"],
    architectures: ["amd64", "arm64"],
    blobs: store,
  });
  if (base === undefined) return;
  assert.deepEqual(
    base.images.map(({ platform }) => platform.architecture),
    ["amd64", "arm64"],
  );
  for (const { image, facts, packages } of base.images) {
    await validateImage(image);
    const sizes = await Promise.all(
      (await image.layers()).map(async (layer) => (await layer.descriptor()).size),
    );
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) < 35_000_000);
    assert.match(facts.python?.version ?? "", /^3\.\d+\.\d+$/);
    assert.match(facts.glibc, /^2\.\d+$/);
    assert.ok(
      packages.every(({ sha256, version }) => /^[0-9a-f]{64}$/.test(sha256) && version !== ""),
    );
    assert.deepEqual(await inspectDebian(image), facts);
  }

  await t.test("from a lock file, in another store, with another cache", async () => {
    const other = await temporaryStore(t);
    await using cache = await createTempDir("other-cache");
    // Downloads are kept by hash; everything else of the cache is fresh.
    await run(["mkdir", "-p", join(cache.path, "debian")]);
    await run([
      "cp",
      "-r",
      join(debianCacheDir(), "debian", "packages"),
      join(cache.path, "debian"),
    ]);
    const lock = JSON.parse(JSON.stringify(base.lock)) as DebianBase["lock"];
    const again = await buildDebianBase({
      lock,
      architectures: ["arm64", "amd64"],
      cacheDir: cache.path,
      blobs: other,
    });
    assert.deepEqual((await digests(again)).toReversed(), await digests(base));
    assert.ok(again.images.every(({ layersMade }) => layersMade === 3));
  });

  await t.test("and a second build finds its layers and moves nothing", async () => {
    const steps: BuildStep["step"][] = [];
    const again = await requireDebianBase(t, {
      include: ["python3"],
      architectures: ["amd64", "arm64"],
      blobs: store,
      onProgress: ({ step }) => steps.push(step),
    });
    assert.ok(again !== undefined);
    assert.deepEqual(await digests(again), await digests(base));
    assert.ok(again.images.every(({ layersMade }) => layersMade === 0));
    assert.deepEqual([...new Set(steps)], ["solve"]);
  });

  await t.test("a lower layer is shared with a base that has more packages", async () => {
    const more = await requireDebianBase(t, { include: ["python3", "libgomp1"], blobs: store });
    assert.ok(more !== undefined);
    const layersOf = async (image: Image): Promise<readonly string[]> =>
      Promise.all((await image.layers()).map(async (layer) => (await layer.descriptor()).digest));
    const [one, other] = [
      await layersOf(base.images[0]!.image),
      await layersOf(more.images[0]!.image),
    ];
    assert.deepEqual(other.slice(0, 2), one.slice(0, 2));
    assert.equal(other.length, one.length + 1);
  });
});

test("what scripts would have made is there, and what nobody reads is not", async (t) => {
  const base = await requireDebianBase(t, { include: ["python3"], blobs: await sharedStore() });
  if (base === undefined) return;
  const entries = await entriesOf(base.images[0]!.image);
  const text = (path: string): string => entries.get(path)?.text ?? assert.fail(`no /${path}`);
  const target = (path: string): string | undefined => entries.get(path)?.linkTarget;
  assert.match(text("etc/passwd"), /^root:x:0:0:.*\nnobody:x:65534:65534:.*\nslipway:x:8888:0:/);
  assert.match(text("etc/group"), /^root:x:0:/);
  assert.match(text("usr/lib/os-release"), /^ID=debian$/m);
  assert.equal(
    text("etc/ssl/certs/ca-certificates.crt").match(/-----BEGIN CERTIFICATE-----/g)?.length,
    [...entries.keys()].filter((path) => /^usr\/share\/ca-certificates\/.*\.crt$/.test(path))
      .length,
  );
  for (const folder of ["bin", "sbin", "lib", "lib64"])
    assert.equal(target(folder), `usr/${folder}`);
  assert.equal(target("usr/bin/python"), "python3");
  assert.equal(entries.get("tmp")?.mode, 0o1777);
  assert.equal(entries.get("root")?.mode, 0o700);
  assert.equal(entries.get("home/slipway")?.uid, 8888);
  assert.ok(
    [...entries.keys()].every((path) => !/^(bin|sbin|lib|lib64)\//.test(path)),
    "nothing is put behind the links",
  );
  assert.match(text("var/lib/dpkg/status.d/libc6"), /^Package: libc6\n[^]*^Version: /m);
  assert.match(text("var/lib/dpkg/status.d/libc6.md5sums"), /^[0-9a-f]{32} {2}/);
  assert.ok(entries.has("usr/share/doc/libc6/copyright"));
  assert.deepEqual(
    [...entries.keys()].filter(
      (path) =>
        /^usr\/share\/(man|info|locale|lintian)\//.test(path) ||
        /^usr\/share\/doc\/[^/]+\/(?!copyright$)/.test(path),
    ),
    [],
  );
  assert.deepEqual(
    [...entries.keys()].filter(
      (path) => /(^|\/)(dash|bash|perl|apt-get|dpkg)$/.test(path) && path.includes("bin/"),
    ),
    [],
    "no shell and no package manager",
  );
  const config = await configOf(base.images[0]!.image);
  assert.ok(config.config?.Env?.includes("LANG=C.UTF-8"));
  assert.equal(config.created, "1970-01-01T00:00:00Z");
});

test("the base's own Python works in it: certificates, time zones, locale, libraries by name, numpy", async (t) => {
  const store = await sharedStore();
  const base = await requireDebianBase(t, { include: ["python3", "python3-numpy"], blobs: store });
  const rootfs = base === undefined ? undefined : await requireRootfs(t, base.images[0]!.image);
  if (rootfs === undefined) return;
  const script = [
    "import ctypes, ctypes.util, locale, os, pwd, sqlite3, ssl, sys, zoneinfo, lzma, bz2",
    "assert len(ssl.create_default_context().get_ca_certs()) > 50",
    "zoneinfo.ZoneInfo('Europe/Berlin')",
    "assert locale.setlocale(locale.LC_ALL, '') == 'C.UTF-8'",
    "assert pwd.getpwuid(8888).pw_name == 'slipway'",
    "ctypes.CDLL(ctypes.util.find_library('stdc++'))",
    "assert ctypes.util.find_library('z') == 'libz.so.1', ctypes.util.find_library('z')",
    "import numpy; assert numpy.linalg.norm(numpy.ones(4)) == 2",
    "print('all well', sys.executable)",
  ].join("\n");
  assert.match(
    await rootfs.run(["/usr/bin/python3", "-c", script]),
    /^all well \/usr\/bin\/python3/,
  );
  assert.match(
    await rootfs.run(["/sbin/ldconfig", "-p"]),
    /libstdc\+\+\.so\.6 \(libc6[^)]*\) => \/usr\/lib/,
  );
});

test("packages are added to a base, solved against what it has, and are found by its Python", async (t) => {
  const store = await sharedStore();
  const base = await requireDebianBase(t, { include: ["python3"], blobs: store });
  if (base === undefined) return;
  const { image, facts } = base.images[0]!;
  const options = {
    base: facts,
    cacheDir: debianCacheDir(),
    now: Date.now,
    maxIndexAgeMs: 86_400_000,
    blobs: store,
  };
  const added = await addDebianPackages({ ...options, packages: ["libgomp1", "liblapack3"] });
  assert.ok(added.packages.some(({ name }) => name === "libgomp1"));
  const before = new Set(facts.packages.map(({ name }) => name));
  assert.deepEqual(
    added.packages.filter(({ name }) => before.has(name)),
    [],
    "nothing that is there comes again",
  );
  assert.ok(added.facts.sonames.includes("libgomp.so.1"));
  assert.deepEqual(
    await addDebianPackages({ ...options, base: added.facts, packages: ["libgomp1"] }).then(
      ({ additions, packages }) => [additions.length, packages.length],
    ),
    [0, 0],
  );
  const result = mutateConfig(appendLayers(image, added.additions), (config) => ({
    ...config,
    config: { ...config.config, Labels: added.labels },
  }));
  await validateImage(result);
  assert.deepEqual(await inspectDebian(result), added.facts);
  const rootfs = await requireRootfs(t, result);
  if (rootfs === undefined) return;
  assert.equal(
    await rootfs.run([
      "/usr/bin/python3",
      "-c",
      "import ctypes, ctypes.util as u; ctypes.CDLL('libgomp.so.1'); ctypes.CDLL('liblapack.so.3'); print(u.find_library('gomp'), u.find_library('z'))",
    ]),
    "libgomp.so.1 libz.so.1\n",
  );
});

test("facts are read from a Debian image that is not ours", async (t) => {
  const store = await sharedStore();
  const base = await requireDebianBase(t, { include: ["python3"], blobs: store });
  if (base === undefined) return;
  const { image, facts } = base.images[0]!;
  const stranger = mutateConfig(image, (config) => ({ ...config, config: {} }));
  const found = await inspectDebian(stranger);
  assert.equal(found?.suite, facts.suite);
  assert.equal(found?.glibc, facts.glibc);
  assert.deepEqual(found?.python, facts.python);
  assert.deepEqual(found?.packages, facts.packages);
  assert.deepEqual(
    facts.sonames.filter((name) => !found.sonames.includes(name)),
    [],
  );
});

test("a package that does not exist is named with near ones, and options cannot be smuggled in", async (t) => {
  const store = await sharedStore();
  if ((await requireDebianBase(t, { blobs: store })) === undefined) return;
  const build = (include: readonly string[]): Promise<DebianBase> =>
    buildDebianBase({
      include,
      cacheDir: debianCacheDir(),
      now: Date.now,
      maxIndexAgeMs: 86_400_000,
      blobs: store,
    });
  await assert.rejects(
    build(["python3-nump"]),
    (error: Error & { code?: string; hint?: string }) =>
      error.code === "PACKAGE_UNAVAILABLE" &&
      /"python3-nump"/.test(error.message) &&
      /python3-numpy/.test(error.hint ?? ""),
  );
  await assert.rejects(build(["python3=9.9"]), { code: "PACKAGE_UNAVAILABLE" });
  for (const name of ["-o", "python3-", "a b", "../x", "python3.*", "x;y", "--", ""])
    await assert.rejects(build([name]), { code: "USAGE" }, name);
  await assert.rejects(
    buildDebianBase({
      architectures: ["s390x" as "amd64"],
      cacheDir: debianCacheDir(),
      blobs: store,
    }),
    { code: "UNSUPPORTED" },
  );
});

test("a mirror that does not answer, and one that is not signed, are told apart; nothing is left behind", async (t) => {
  if ((await requirePeer(t, "apt-get")) === undefined) return;
  await using place = await createTempDir("mirror");
  const store = await sharedStore();
  const build = (mirror: string): Promise<DebianBase> =>
    buildDebianBase({ mirror, cacheDir: join(place.path, "cache"), blobs: store });
  const closed = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => closed.once("listening", resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  await assert.rejects(build(`http://127.0.0.1:${port}/debian`), { code: "MIRROR_UNREACHABLE" });

  const release = join(place.path, "plain", "dists", "bookworm");
  await mkdir(join(release, "main", "binary-amd64"), { recursive: true });
  await writeFile(join(release, "main", "binary-amd64", "Packages"), "");
  await writeFile(
    join(release, "Release"),
    "Origin: x\nSuite: bookworm\nCodename: bookworm\nDate: Mon, 01 Jan 2024 00:00:00 UTC\nArchitectures: amd64\nComponents: main\nSHA256:\n e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 main/binary-amd64/Packages\n",
  );
  await assert.rejects(build(`file:${join(place.path, "plain")}`), { code: "MIRROR_UNTRUSTED" });
  assert.deepEqual(
    (await readdir(join(place.path, "cache", "debian"))).filter(
      (name) => name !== "index" && name !== "solutions",
    ),
    [],
  );
});

test("a package that is not what the signed index says is refused, and the next run gets it right", async (t) => {
  const store = await sharedStore();
  const base = await requireDebianBase(t, { include: [], blobs: store });
  if (base === undefined) return;
  await using cache = await createTempDir("damaged-cache");
  const [first, ...others] = base.lock.architectures.amd64!;
  const wrong = { ...first!, sha256: createHash("sha256").update("another package").digest("hex") };
  await assert.rejects(
    buildDebianBase({
      lock: { ...base.lock, architectures: { amd64: [wrong, ...others] } },
      cacheDir: cache.path,
      blobs: store,
    }),
    { code: "MIRROR_UNTRUSTED" },
  );
  assert.deepEqual(
    await readFile(
      join(cache.path, "debian", "packages", wrong.sha256.slice(0, 2), `${wrong.sha256}.deb`),
    ).catch(() => "absent"),
    "absent",
  );
});

test("two builds at once on one cache give the same base", async (t) => {
  const probe = await requireDebianBase(t, { include: [], blobs: await sharedStore() });
  if (probe === undefined) return;
  await using cache = await createTempDir("shared-cache");
  const build = async (): Promise<readonly string[]> => {
    const place = await createTempDir("store");
    t.after(() => place[Symbol.asyncDispose]());
    const store = createStore({
      dataDir: join(place.path, "data"),
      cacheDir: join(place.path, "cache"),
    });
    t.after(() => store[Symbol.asyncDispose]());
    return digests(await buildDebianBase({ cacheDir: cache.path, blobs: store }));
  };
  const [one, other] = await Promise.all([build(), build()]);
  assert.deepEqual(one, other);
});

test("off Debian the error says what is missing", async (t) => {
  const node = process.execPath;
  await using empty = await createTempDir("empty-path");
  const script = `import { buildDebianBase } from ${JSON.stringify(join(import.meta.dirname, "../../src/images/bases/index.ts"))};
    await buildDebianBase({ cacheDir: "/nonexistent", blobs: {} }).catch((error) => console.log(error.code, error.message, error.hint));`;
  const { stdout } = await run([node, "--input-type=module", "-e", script], {
    env: { PATH: empty.path },
  });
  assert.match(
    stdout.toString("utf8"),
    /^TOOL_MISSING .*is not on this machine .*Debian or Ubuntu/,
  );
  t.diagnostic("apt was hidden by an empty PATH");
});

test(
  "a full Debian has its scripts run, and everything essential",
  {
    skip:
      process.env["SLIPWAY_REQUIRE_PEERS"] === "1" || process.env["SLIPWAY_SLOW"] === "1"
        ? false
        : "takes half a minute; SLIPWAY_SLOW=1 runs it",
  },
  async (t) => {
    if (findPeer("mmdebstrap") === undefined) return void (await requirePeer(t, "mmdebstrap"));
    if (process.getuid?.() !== 0) return t.skip("needs root");
    const base = await requireDebianBase(t, {
      include: ["python3"],
      isFull: true,
      blobs: await sharedStore(),
    });
    const built = base?.images[0];
    if (built === undefined) return;
    await validateImage(built.image);
    assert.ok(built.facts.packages.some(({ name }) => name === "dpkg"));
    assert.match(built.facts.python?.version ?? "", /^3\./);
    const rootfs = await requireRootfs(t, built.image);
    assert.match(
      (await rootfs?.run([
        "/bin/sh",
        "-c",
        "dpkg --audit && getent passwd daemon && python3 -c 'print(1)'",
      ])) ?? "",
      /^daemon:[^]*1\n$/,
    );
  },
);
