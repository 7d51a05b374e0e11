import assert from "node:assert/strict";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import { basename, dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import type { AddressInfo } from "node:net";
import { isToolError, ProcessError } from "../../src/ground/errors/index.ts";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import {
  buildPythonLayers,
  resolvePython,
  type PythonContext,
  type PythonLayers,
  type PythonRequest,
  type PythonTarget,
} from "../../src/images/python-packages/index.ts";
import { digestOf } from "../../src/images/oci/index.ts";
import { createStore, type Store } from "../../src/images/store/index.ts";
import {
  memoryJsonCache,
  memoryLayerStore,
  type MemoryLayerStore,
} from "../support/memory-layer-store.ts";
import { pythonEnv, requireUv } from "../support/python-env.ts";
import { elf, writeWheel, zip } from "../support/wheels.ts";

const BASE_LIBRARIES = [
  "libc.so.6",
  "libm.so.6",
  "libpthread.so.0",
  "libdl.so.2",
  "librt.so.1",
  "libgcc_s.so.1",
  "libstdc++.so.6",
];

interface Bench {
  readonly root: string;
  readonly wheels: string;
  readonly store: MemoryLayerStore;
  readonly context: PythonContext;
  request(lines: readonly string[], target?: Partial<PythonTarget>): PythonRequest;
  build(lines: readonly string[], target?: Partial<PythonTarget>): Promise<PythonLayers>;
}

/** A project folder, a folder of wheels and an empty store; no index but that folder, no network, a uv cache of its own. */
async function bench(
  t: TestContext,
  more: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly context?: Partial<PythonContext>;
  } = {},
): Promise<Bench | undefined> {
  const uv = await requireUv(t);
  if (uv === undefined) return undefined;
  const folder = await createTempDir("slipway-python");
  t.after(() => folder[Symbol.asyncDispose]());
  const root = join(folder.path, "project");
  const wheels = join(folder.path, "wheels");
  await mkdir(root);
  await mkdir(wheels);
  const store = memoryLayerStore();
  const environment = {
    ...process.env,
    PATH: `${dirname(uv)}:${process.env["PATH"]}`,
    UV_CACHE_DIR: join(folder.path, "uv"),
    ...more.environment,
  };
  const context: PythonContext = {
    store,
    cache: memoryJsonCache(),
    workDir: join(folder.path, "work"),
    environment,
    ...more.context,
  };
  const request: Bench["request"] = (lines, target) => ({
    root,
    files: [],
    lines,
    target: {
      pythonVersion: "3.11",
      platform: { os: "linux", architecture: "amd64" },
      libc: { kind: "glibc", version: "2.36" },
      interpreter: "/usr/bin/python3.11",
      libraries: BASE_LIBRARIES,
      ...target,
    },
    indexes: { findLinks: [wheels], noIndex: true },
  });
  return {
    root,
    wheels,
    store,
    context,
    request,
    build: (lines, target) => buildPythonLayers(request(lines, target), context),
  };
}

/** Lists a stored layer with the system's tar: mode, owner and path of each entry. */
async function listing(store: MemoryLayerStore, digest: string): Promise<readonly string[]> {
  const { stdout } = await run(["tar", "-tvzf", "-", "--numeric-owner", "--full-time"], {
    stdin: store.blobs.get(digest) ?? Buffer.alloc(0),
    env: { ...process.env, TZ: "UTC" },
  });
  return stdout.toString().trimEnd().split("\n");
}

async function textIn(store: MemoryLayerStore, digest: string, path: string): Promise<string> {
  const { stdout } = await run(["tar", "-xzOf", "-", path], {
    stdin: store.blobs.get(digest) ?? Buffer.alloc(0),
  });
  return stdout.toString();
}

/** An index on loopback that has one wheel, and tells only those who send `authorization` when it is given. */
async function serveIndex(
  t: TestContext,
  wheel: string,
  authorization?: string,
): Promise<{ readonly url: string; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const link = `/files/${basename(wheel)}#sha256=${digestOf(readFileSync(wheel)).slice("sha256:".length)}`;
  const server = createServer((request, response) => {
    if (authorization !== undefined && request.headers.authorization !== authorization)
      return void response.writeHead(401, { "WWW-Authenticate": "Basic" }).end();
    asked.push(request.url ?? "");
    if (request.url?.endsWith(".whl") === true) return void createReadStream(wheel).pipe(response);
    return void response
      .writeHead(200, { "Content-Type": "text/html", "Cache-Control": "max-age=0" })
      .end(`<a href="${link}">${basename(wheel)}</a>`);
  });
  server.listen(0, "127.0.0.1");
  t.after(() => void server.close());
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const digestsOf = ({ layers }: PythonLayers): string[] =>
  layers.map(({ descriptor }) => descriptor.digest);

test("a wheel becomes a layer: files, scripts and record for the image, nothing of this machine", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  await writeWheel(b.wheels, {
    name: "tool-box",
    files: {
      "tool_box/__init__.py": "answer = 42\n",
      "tool_box/data.bin": Buffer.alloc(3),
      "tool_box/run.sh": { content: "#!/bin/sh\n", mode: 0o755 },
      "tool_box-1.0.data/scripts/old-tool": "#!python\nprint(1)\n",
    },
    entryPoints: "[console_scripts]\ntool = tool_box:main\n",
    metadata: ["License-Expression: MIT", "Summary: Tools"],
  });
  const { layers, packages, unpacked } = await b.build(["tool-box"]);
  assert.equal(unpacked, 1);
  assert.deepEqual(
    packages.map(({ name, version, license, summary, isPure }) => ({
      name,
      version,
      license,
      summary,
      isPure,
    })),
    [{ name: "tool-box", version: "1.0", license: "MIT", summary: "Tools", isPure: true }],
  );
  const [layer] = layers;
  assert.ok(layer);
  assert.equal(layer.label, "python: tool-box 1.0");
  const entries = (await listing(b.store, layer.descriptor.digest)).map((line) =>
    line.replace(/\s+\d+ 1970-01-01 00:00:00 /, " "),
  );
  assert.deepEqual(
    entries.filter((line) => !line.startsWith("d")),
    [
      "-rwxr-xr-x 0/0 opt/slipway/site-packages/bin/old-tool",
      "-rwxr-xr-x 0/0 opt/slipway/site-packages/bin/tool",
      "-rw-r--r-- 0/0 opt/slipway/site-packages/tool_box-1.0.dist-info/METADATA",
      "-rw-r--r-- 0/0 opt/slipway/site-packages/tool_box-1.0.dist-info/RECORD",
      "-rw-r--r-- 0/0 opt/slipway/site-packages/tool_box-1.0.dist-info/WHEEL",
      "-rw-r--r-- 0/0 opt/slipway/site-packages/tool_box-1.0.dist-info/entry_points.txt",
      "-rw-r--r-- 0/0 opt/slipway/site-packages/tool_box/__init__.py",
      "-rw-r--r-- 0/0 opt/slipway/site-packages/tool_box/data.bin",
      "-rwxr-xr-x 0/0 opt/slipway/site-packages/tool_box/run.sh",
    ],
  );
  assert.ok(
    entries
      .filter((line) => line.startsWith("d"))
      .every((line) => line.startsWith("drwxr-xr-x 0/0 opt/slipway/")),
    entries.join("\n"),
  );
  const file = (path: string): Promise<string> =>
    textIn(b.store, layer.descriptor.digest, `opt/slipway/site-packages/${path}`);
  assert.equal(await file("bin/old-tool"), "#!/usr/bin/python3.11\nprint(1)\n");
  assert.match(
    await file("bin/tool"),
    /^#!\/usr\/bin\/python3\.11\nimport sys; .*\nfrom tool_box import main\n/,
  );
  const record = await file("tool_box-1.0.dist-info/RECORD");
  assert.match(record, /^bin\/old-tool,sha256=[\w-]{43},31\n/);
  assert.ok(!record.includes("INSTALLER") && record.includes("tool_box-1.0.dist-info/RECORD,,\n"));
});

test("what is known is neither resolved nor unpacked again, in this project or another", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  await writeWheel(b.wheels, { name: "one", requires: ["two"] });
  await writeWheel(b.wheels, { name: "two" });
  const first = await b.build(["one"]);
  const withoutTools: PythonContext = {
    ...b.context,
    environment: { ...b.context.environment, PATH: "/nowhere" },
  };
  const again = await buildPythonLayers(b.request(["one"]), withoutTools);
  assert.equal(again.unpacked, 0);
  assert.deepEqual(digestsOf(again), digestsOf(first));
  const other = await b.build(["two", "one"]);
  assert.equal(other.unpacked, 0);
  assert.deepEqual(digestsOf(other), digestsOf(first));
});

test("other words for the same wheels ask no index; a new package does, and so does a refresh", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  const index = await serveIndex(t, await writeWheel(b.wheels, { name: "one" }));
  const build = (lines: readonly string[], more?: Partial<PythonContext>): Promise<PythonLayers> =>
    buildPythonLayers(
      { ...b.request(lines), indexes: { indexUrl: `${index.url}/simple` } },
      { ...b.context, ...more },
    );
  const first = await build(["one"]);
  const asked = index.asked.length;
  assert.ok(asked > 0);
  const again = await build(["one>=0.5"]);
  assert.deepEqual(
    [again.unpacked, digestsOf(again), index.asked.length],
    [0, digestsOf(first), asked],
  );
  await build(["one>=0.6"], { refresh: true });
  const refreshed = index.asked.length;
  assert.ok(refreshed > asked, "a refresh asks the index");
  await assert.rejects(build(["one", "two"]), {
    code: "REQUIREMENTS_INVALID",
    message:
      /"one" is chosen twice|expected distribution for two, got distribution for one|listed a wheel for `one` when queried for `two`/,
  }); // this index offers its one wheel under every name, which newer installers notice themselves
  assert.ok(index.asked.length > refreshed, "a package that nobody has seen is asked for");
});

test("the project's own store keeps the layers and what is known of the wheels", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  await writeWheel(b.wheels, { name: "one" });
  const openStore = (): Store =>
    createStore({ dataDir: join(b.root, "data"), cacheDir: join(b.root, "cache") });
  const first = openStore();
  const built = await buildPythonLayers(b.request(["one"]), {
    ...b.context,
    store: first,
    cache: first.cache("python"),
  });
  const second = openStore();
  const again = await buildPythonLayers(b.request(["one"]), {
    ...b.context,
    store: second,
    cache: second.cache("python"),
    environment: { ...b.context.environment, PATH: "/nowhere" },
  });
  assert.equal(again.unpacked, 0);
  const [layer] = again.layers;
  assert.ok(layer);
  const blob = Buffer.concat(await Array.fromAsync(layer.open()));
  assert.equal(digestOf(blob), built.layers[0]?.descriptor.digest);
  assert.equal(digestOf(gunzipSync(blob)), layer.diffId);
});

test("a blob that the store has lost is made again, the same", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  await writeWheel(b.wheels, { name: "one" });
  const first = await b.build(["one"]);
  b.store.blobs.clear();
  const again = await b.build(["one"]);
  assert.equal(again.unpacked, 1);
  assert.deepEqual(digestsOf(again), digestsOf(first));
  assert.equal(b.store.blobs.size, first.layers.length);
});

test("a changed package makes one new layer", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  const names = ["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh"];
  for (const name of names) await writeWheel(b.wheels, { name });
  const before = await b.build(names);
  await writeWheel(b.wheels, { name: "cc", version: "2.0" });
  const after = await b.build(names.map((name) => (name === "cc" ? "cc==2.0" : name)));
  assert.ok(before.layers.length > 1);
  assert.equal(digestsOf(after).filter((digest) => !digestsOf(before).includes(digest)).length, 1);
});

test("packages without compiled code give the same layer for every platform", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  await writeWheel(b.wheels, { name: "pure" });
  await writeWheel(b.wheels, {
    name: "fast",
    tag: "cp311-cp311-manylinux_2_28_x86_64",
    files: { "fast.so": elf({ needed: ["libc.so.6"] }) },
  });
  await writeWheel(b.wheels, {
    name: "fast",
    tag: "cp311-cp311-manylinux_2_17_aarch64",
    files: { "fast.so": elf({ needed: ["libm.so.6"] }) },
  });
  const amd64 = await b.build(["pure", "fast"]);
  const arm64 = await b.build(["pure", "fast"], {
    platform: { os: "linux", architecture: "arm64" },
  });
  const layerOf = (built: PythonLayers, name: string): string | undefined =>
    built.layers.find(({ packages }) => packages.includes(name))?.descriptor.digest;
  assert.equal(layerOf(amd64, "pure"), layerOf(arm64, "pure"));
  assert.notEqual(layerOf(amd64, "fast"), layerOf(arm64, "fast"));
  assert.equal(amd64.neededGlibc, "2.28");
  assert.equal(arm64.neededGlibc, "2.17");
});

test("markers are judged for the target, not for this machine", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  await writeWheel(b.wheels, {
    name: "app",
    requires: [
      'for-arm; platform_machine == "aarch64"',
      'for-intel; platform_machine == "x86_64"',
      'for-old; python_version < "3.10"',
    ],
  });
  for (const name of ["for-arm", "for-intel", "for-old"]) await writeWheel(b.wheels, { name });
  const names = async (target: Partial<PythonTarget>): Promise<string[]> =>
    (await resolvePython(b.request(["app"], target), b.context)).wheels.map(({ name }) => name);
  assert.deepEqual(await names({ platform: { os: "linux", architecture: "arm64" } }), [
    "app",
    "for-arm",
  ]);
  assert.deepEqual(await names({ pythonVersion: "3.9" }), ["app", "for-intel", "for-old"]);
});

test("two wheels that bring different files under one name give the same layers whoever unpacks first", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  await writeWheel(b.wheels, {
    name: "left",
    files: { "shared/__init__.py": "left = 1\n", "left.py": "" },
  });
  await writeWheel(b.wheels, {
    name: "right",
    files: { "shared/__init__.py": "right = 1\n", "right.py": "" },
  });
  const one = await b.build(["left", "right"]);
  b.store.blobs.clear();
  const other = await buildPythonLayers(b.request(["right", "left"]), {
    ...b.context,
    cache: memoryJsonCache(),
  });
  assert.deepEqual(digestsOf(one), digestsOf(other));
  const texts = await Promise.all(
    digestsOf(one).map((digest) =>
      textIn(b.store, digest, "opt/slipway/site-packages/shared/__init__.py"),
    ),
  );
  assert.equal(texts.at(-1), "right = 1\n");
});

test("a wheel that is built again under its old name is noticed", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  await writeWheel(b.wheels, { name: "own", files: { "own.py": "version = 1\n" } });
  const before = await b.build(["own"]);
  await writeWheel(b.wheels, { name: "own", files: { "own.py": "version = 22\n" } });
  assert.notDeepEqual(digestsOf(await b.build(["own"])), digestsOf(before));
});

test("a wheel named by path is packed", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  const path = await writeWheel(join(b.root, "dist"), { name: "own" });
  const { packages } = await b.build([`./dist/${basename(path)}`]);
  assert.deepEqual(
    packages.map(({ name, direct }) => ({ name, direct })),
    [{ name: "own", direct: path }],
  );
});

test("a wheel that is not what the requirements state stops the build, kept lock or not", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  const path = await writeWheel(b.wheels, { name: "small" });
  const digest = digestOf(readFileSync(path)).slice("sha256:".length);
  assert.equal((await b.build([`small==1.0 --hash=sha256:${digest}`])).packages.length, 1);
  for (const line of [
    `small==1.0 --hash=sha256:${"0".repeat(64)}`,
    `${path} --hash=sha256:${"0".repeat(64)}`,
  ]) {
    await assert.rejects(b.build([line]), { code: "DIGEST_MISMATCH", message: /"small" 1\.0/ });
    await assert.rejects(b.build([line]), { code: "DIGEST_MISMATCH" });
  }
  await writeFile(join(b.root, "requirements.txt"), "--require-hashes\nsmall==1.0\n");
  await assert.rejects(
    buildPythonLayers({ ...b.request([]), files: ["requirements.txt"] }, b.context),
    { code: "REQUIREMENTS_INVALID", message: /require-hashes/ },
  );
});

test("a library that nobody has is named with its package, unless it is said not to matter", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  await writeWheel(b.wheels, {
    name: "fast",
    tag: "cp311-cp311-manylinux_2_28_x86_64",
    files: {
      "fast/_core.so": elf({ needed: ["libgomp.so.1", "libown.so.2", "libc.so.6"] }),
      "fast.libs/libown-1234.so.2": elf({ needed: [], soname: "libown.so.2" }),
    },
  });
  await assert.rejects(b.build(["fast"]), {
    code: "LIBRARY_MISSING",
    message: /"libgomp\.so\.1" is needed by "fast\/_core\.so" of fast \(Debian package libgomp1\)/,
  });
  assert.equal(b.store.blobs.size, 0, "nothing is stored");
  const built = await buildPythonLayers(b.request(["fast"]), {
    ...b.context,
    ignoreLibraries: ["libgomp.so.1"],
  });
  assert.equal(built.layers.length, 1);
  assert.equal(
    (await b.build(["fast"], { libraries: [...BASE_LIBRARIES, "libgomp.so.1"] })).layers.length,
    1,
  );
});

test("a package that has sources only is refused by name with a way out", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  await run(["tar", "-czf", join(b.wheels, "only-source-1.2.tar.gz"), "-C", "/", "etc/hostname"]);
  await assert.rejects(b.build(["only-source==1.2"]), {
    code: "REQUIREMENT_WITHOUT_WHEEL",
    message: /"only-source" 1\.2/,
    hint: /pip wheel/,
  });
});

test("a wheel for another Python or platform only is refused by name", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  await writeWheel(b.wheels, { name: "narrow", tag: "cp39-cp39-win_amd64" });
  await assert.rejects(b.build(["narrow"]), {
    code: "REQUIREMENT_WITHOUT_WHEEL",
    message: /"narrow"/,
  });
});

test("requirements that contradict each other are explained", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  await writeWheel(b.wheels, { name: "one", requires: ["three<2"] });
  await writeWheel(b.wheels, { name: "two", requires: ["three>=2"] });
  for (const version of ["1.0", "2.0"]) await writeWheel(b.wheels, { name: "three", version });
  await assert.rejects(b.build(["one", "two"]), {
    code: "REQUIREMENTS_INVALID",
    message: /no set of versions satisfies all of them\n.*three<2/s,
  });
});

test("a name that no index knows is said to be unknown", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  await assert.rejects(b.build(["nosuch-thing"]), {
    code: "PACKAGE_UNAVAILABLE",
    message: /"nosuch-thing"/,
  });
});

test("without uv and pip the hint says what to install", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  await assert.rejects(
    buildPythonLayers(b.request(["x"]), { ...b.context, environment: { PATH: "/nowhere" } }),
    { code: "TOOL_MISSING", hint: /install uv/ },
  );
});

test("nothing asked for: nothing is started and there is no layer", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  const built = await buildPythonLayers(b.request(["# later"]), {
    ...b.context,
    environment: { PATH: "/nowhere" },
  });
  assert.deepEqual([built.layers, built.packages], [[], []]);
});

test("an abort ends the tools and leaves no staging folder", async (t) => {
  const stop = new AbortController();
  const reason = new Error("stop");
  const b = await bench(t, {
    context: {
      signal: stop.signal,
      onProgress: ({ kind }) => (kind === "install" ? stop.abort(reason) : undefined),
    },
  });
  if (b === undefined) return;
  await writeWheel(b.wheels, { name: "one" });
  await assert.rejects(b.build(["one"]), reason);
  const { stdout } = await run(["find", b.context.workDir, "-mindepth", "1"], {
    allowFailure: true,
  });
  assert.equal(stdout.toString(), "");
});

for (const [name, extra] of [
  ["a file above the folder", [{ name: "../../evil.py", content: "x" }]],
  ["an absolute file", [{ name: "/tmp/slipway-evil.py", content: "x" }]],
  ["a link", [{ name: "hostile/evil", content: "/etc/passwd", mode: 0o120777 }]],
  ["two files of one name", [{ name: "hostile.py", content: "evil = 1\n" }]],
  [
    "a script above the folder",
    [{ name: "hostile-1.0.data/scripts/../../../../evil", content: "#!python\n" }],
  ],
] as const) {
  test(`a wheel here with ${name} is refused before it is unpacked; from an index it brings nothing hostile into a layer`, async (t) => {
    const b = await bench(t);
    if (b === undefined) return;
    const path = await writeWheel(b.wheels, { name: "hostile", extra });
    await assert.rejects(b.build(["hostile"]), { code: "FILE_REFUSED" });
    const index = await serveIndex(t, path);
    const built = await buildPythonLayers(
      { ...b.request(["hostile"]), indexes: { indexUrl: `${index.url}/simple` } },
      b.context,
    ).catch((error: unknown) => error);
    assert.ok(
      index.asked.some((url) => url.endsWith(".whl")),
      "the index was asked",
    );
    if (built instanceof Error) assert.ok(isToolError(built), String(built));
    assert.ok(!existsSync("/tmp/slipway-evil.py"));
    const { stdout } = await run([
      "find",
      dirname(b.root),
      "-name",
      "*evil*",
      "-not",
      "-path",
      "*/uv/*",
    ]);
    assert.equal(stdout.toString(), "");
    for (const digest of b.store.blobs.keys()) {
      const entries = await listing(b.store, digest);
      assert.ok(
        entries.every((line) => /^[d-]/.test(line) && !line.includes("..")),
        entries.join("\n"),
      );
      assert.equal(new Set(entries).size, entries.length);
    }
  });
}

test("a wheel without metadata, or of another name inside, is refused", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  await writeFile(
    join(b.wheels, "empty-1.0-py3-none-any.whl"),
    zip([{ name: "empty.py", content: "" }]),
  );
  await assert.rejects(b.build(["empty"]), (error) => isToolError(error));
  const path = await writeWheel(b.root, { name: "inside" });
  await run(["cp", path, join(b.wheels, "outside-1.0-py3-none-any.whl")]);
  await assert.rejects(b.build(["outside"]), (error) => isToolError(error));
});

test("an unpacked file that is not what the wheel's record says is refused", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  const hash = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
  await writeWheel(b.wheels, {
    name: "torn",
    record: `torn.py,sha256=${hash},14\ntorn-1.0.dist-info/METADATA,,\ntorn-1.0.dist-info/WHEEL,,\ntorn-1.0.dist-info/RECORD,,\n`,
  });
  await assert.rejects(b.build(["torn"]), {
    code: "FILE_CHANGED",
    message: /"torn\.py" of torn 1\.0/,
  });
  assert.equal(b.store.blobs.size, 0);
});

test("pip makes the same layers as uv", async (t) => {
  const b = await bench(t);
  const env = await pythonEnv(t, { packages: ["pip", "setuptools"] });
  if (b === undefined || env === undefined) return;
  await writeWheel(b.wheels, {
    name: "tool-box",
    requires: ["other"],
    entryPoints: "[console_scripts]\ntool = tool_box:main\n",
    files: { "tool_box/__init__.py": "", "tool_box-1.0.data/scripts/old-tool": "#!python\n" },
  });
  await writeWheel(b.wheels, {
    name: "other",
    tag: "cp311-cp311-manylinux2014_x86_64",
    files: { "other.so": elf({ needed: ["libc.so.6"] }) },
  });
  const byUv = await b.build(["tool-box"]);
  // When this fails, wheels are laid out, archived or compressed in another way: LAYER_RECIPE has to change with it.
  assert.deepEqual(digestsOf(byUv), [
    "sha256:53cda03b33e71f917a274e04aaa524a6a71e29c534e6d5f659c74b2fa028fb3e",
    "sha256:6de3f6469b05aca059ada119ab51295ffba9e36e6de290d85ed4dce74e6f5797",
  ]);
  const bin = join(b.root, "bin");
  await mkdir(bin);
  await symlink(env.python, join(bin, "python3"));
  const context: PythonContext = {
    ...b.context,
    store: memoryLayerStore(),
    cache: memoryJsonCache(),
    environment: { ...process.env, PIP_FIND_LINKS: undefined, PATH: bin },
  };
  const byPip = await buildPythonLayers(b.request(["tool-box"]), context);
  assert.equal(byPip.unpacked, 2);
  assert.deepEqual(digestsOf(byPip), digestsOf(byUv));
});

test("packages are compiled into layers of their own when asked for, and loaded from there", async (t) => {
  const b = await bench(t);
  const env = await pythonEnv(t, { packages: [] });
  if (b === undefined || env === undefined) return;
  const pythonVersion = (
    await run([env.python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
  ).stdout
    .toString()
    .trim();
  await writeWheel(b.wheels, {
    name: "mod",
    files: {
      "mod.py": "answer = 42\n",
      "pkg/__init__.py": "",
      "pkg/template.py": "{{ not python }}\n",
    },
  });
  const sitePackages = join(b.root, "site-packages");
  const request: PythonRequest = {
    ...b.request(["mod"], { pythonVersion, sitePackages }),
    precompileWith: env.python,
  };
  const built = await buildPythonLayers(request, b.context);
  assert.deepEqual(
    built.layers.map(({ label }) => label),
    ["python: mod 1.0", "python: mod 1.0, compiled"],
  );
  const again = await buildPythonLayers(request, {
    ...b.context,
    store: memoryLayerStore(),
    cache: memoryJsonCache(),
  });
  assert.deepEqual(digestsOf(again), digestsOf(built));
  assert.equal((await buildPythonLayers(request, b.context)).unpacked, 0);
  for (const layer of built.layers)
    await run(["tar", "-xzf", "-", "-C", "/"], { stdin: layer.open() });
  await writeFile(join(sitePackages, "mod.py"), "raise SystemError('compiled again')\n");
  const { stdout } = await run(
    [env.python, "-c", "import mod; print(mod.answer, mod.__cached__)"],
    { env: { ...process.env, PYTHONPATH: sitePackages } },
  );
  assert.match(stdout.toString(), /^42 .*__pycache__\/mod\.cpython-\d+\.pyc\n$/);
});

test("a Python that does not fit the image does not compile for it", async (t) => {
  const b = await bench(t);
  const env = await pythonEnv(t, { packages: [] });
  if (b === undefined || env === undefined) return;
  await writeWheel(b.wheels, { name: "mod" });
  await assert.rejects(
    buildPythonLayers(
      { ...b.request(["mod"], { pythonVersion: "3.99" }), precompileWith: env.python },
      b.context,
    ),
    { code: "TOOL_MISSING", message: /for 3\.99: .* is Python 3\.\d+/ },
  );
  await assert.rejects(
    buildPythonLayers({ ...b.request(["mod"]), precompileWith: "/nowhere/python" }, b.context),
    { code: "TOOL_MISSING" },
  );
});

test("a private index gets the credentials, and nobody else sees them", async (t) => {
  const b = await bench(t);
  if (b === undefined) return;
  const wheel = await writeWheel(b.wheels, { name: "secret-sauce" });
  const index = await serveIndex(t, wheel, `Basic ${Buffer.from("me:hunter2").toString("base64")}`);
  const kept = new Map<string, unknown>();
  const cache: PythonContext["cache"] = {
    get: async (key) => kept.get(key),
    set: async (key, value) => void kept.set(key, value),
  };
  const request = (password: string): PythonRequest => ({
    ...b.request(["secret-sauce"]),
    indexes: { indexUrl: `${index.url.replace("//", `//me:${password}@`)}/simple` },
  });
  const built = await buildPythonLayers(request("hunter2"), { ...b.context, cache });
  assert.equal(built.packages.length, 1);
  assert.ok(index.asked.some((url) => url.endsWith(".whl")));
  assert.ok(!JSON.stringify([[...kept], built]).includes("hunter2"));
  const failure = await buildPythonLayers(request("wr0ng"), {
    ...b.context,
    cache: memoryJsonCache(),
    environment: {
      ...b.context.environment,
      UV_HTTP_RETRIES: "0",
      UV_CACHE_DIR: join(b.root, "uv2"),
    },
  }).catch((error: unknown) => error);
  assert.ok(isToolError(failure) && failure.code === "PACKAGE_UNAVAILABLE", String(failure));
  assert.ok(
    failure.cause instanceof ProcessError &&
      !JSON.stringify([failure.message, failure.hint, failure.cause.command]).includes("wr0ng"),
  );
});

test("real packages run from their layers, also without a network once they are cached", async (t) => {
  const b = await bench(t);
  const env = await pythonEnv(t, { packages: [] });
  if (b === undefined || env === undefined) return;
  const version = (
    await run([env.python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
  ).stdout
    .toString()
    .trim();
  const environment = { ...b.context.environment, UV_CACHE_DIR: undefined };
  const context: PythonContext = { ...b.context, environment };
  const sitePackages = join(b.root, "site-packages");
  const request: PythonRequest = {
    ...b.request(["numpy", "joblib"], {
      pythonVersion: version,
      sitePackages,
      interpreter: env.python,
      libraries: [...BASE_LIBRARIES, "libz.so.1"],
    }),
    indexes: {},
  };
  const built = await buildPythonLayers(request, context);
  for (const layer of built.layers)
    await run(["tar", "-xzf", "-", "-C", "/"], { stdin: layer.open() });
  const { stdout } = await run([join(sitePackages, "bin", "numpy-config"), "--version"]);
  assert.equal(
    stdout.toString().trim(),
    built.packages.find(({ name }) => name === "numpy")?.version,
  );
  await rm(sitePackages, { recursive: true });

  const store = memoryLayerStore();
  const offline = {
    ...environment,
    HTTPS_PROXY: "http://127.0.0.1:9",
    HTTP_PROXY: "http://127.0.0.1:9",
    UV_HTTP_RETRIES: "0",
  };
  const again = await buildPythonLayers(request, { ...context, store, environment: offline });
  assert.deepEqual(digestsOf(again), digestsOf(built));
  assert.equal(again.unpacked, built.packages.length);
  for (const layer of built.layers)
    assert.ok(
      gunzipSync(store.blobs.get(layer.descriptor.digest) ?? Buffer.alloc(0)).byteLength > 0,
    );
});
