import assert from "node:assert/strict";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { runUnpacked, unpackImage } from "../../src/images/engine/index.ts";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import {
  appendLayers,
  configOf,
  digestOf,
  emptyImage,
  MEDIA_TYPES,
  mutateConfig,
  type Image,
  type Layer,
} from "../../src/images/oci/index.ts";
import { writeTar, type TarInput } from "../../src/images/tar/index.ts";
import { requireDebianBase, temporaryStore } from "../support/debian-base.ts";
import { freePort } from "../support/free-port.ts";
import { tarOf } from "../support/tiny-tar.ts";

const PLATFORM = { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch };

async function layerOf(tar: Uint8Array): Promise<Layer> {
  const descriptor = {
    mediaType: MEDIA_TYPES.layerTar,
    digest: digestOf(tar),
    size: tar.byteLength,
  };
  return {
    descriptor: async () => descriptor,
    diffId: async () => descriptor.digest,
    async *open() {
      yield tar;
    },
  };
}

function whiteout(path: string): TarInput {
  return { ...file(path, ""), isWhiteout: true };
}

function file(path: string, text: string, mode = 0o644): TarInput {
  return { path, type: "file", mode, size: Buffer.byteLength(text), content: Buffer.from(text) };
}

function link(path: string, linkTarget: string): TarInput {
  return { path, type: "symlink", mode: 0o777, size: 0, linkTarget };
}

function folder(path: string): TarInput {
  return { path, type: "directory", mode: 0o755, size: 0 };
}

/** One layer per list; entries keep the order that the tar writer gives them. */
async function imageOf(...layers: readonly (readonly TarInput[])[]): Promise<Image> {
  const additions = await Promise.all(
    layers.map(async (entries) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of writeTar(entries)) chunks.push(chunk);
      return { layer: await layerOf(Buffer.concat(chunks)), history: {} };
    }),
  );
  return appendLayers(emptyImage(PLATFORM), additions);
}

async function unpacked(t: TestContext, image: Image): Promise<string> {
  const folderOfTest = await createTempDir("unpacked");
  t.after(() => folderOfTest[Symbol.asyncDispose]());
  const root = join(folderOfTest.path, "root");
  await unpackImage(image, root);
  return root;
}

test("later layers hide and replace what earlier ones have", async (t) => {
  const root = await unpacked(
    t,
    await imageOf(
      [
        folder("a"),
        file("a/one", "1"),
        file("a/two", "2"),
        folder("b"),
        file("b/old", "x"),
        folder("b/sub"),
        file("b/sub/old", "x"),
        file("c", "file"),
      ],
      [
        whiteout("a/.wh.one"),
        whiteout("b/.wh..wh..opq"),
        file("b/new", "y"),
        folder("c"),
        file("c/inside", "z"),
      ],
    ),
  );
  assert.deepEqual(await readdir(join(root, "a")), ["two"]);
  assert.deepEqual(await readdir(join(root, "b")), ["new"]);
  assert.equal(await readFile(join(root, "c/inside"), "utf8"), "z");
});

test("a layer's own entries survive its whiteouts", async (t) => {
  const root = await unpacked(
    t,
    await imageOf(
      [folder("d"), file("d/low", "1")],
      [folder("d"), file("d/.a", "kept"), whiteout("d/.wh..wh..opq"), file("d/z", "kept")],
    ),
  );
  assert.deepEqual((await readdir(join(root, "d"))).sort(), [".a", "z"]);
});

test("links mean the same as in a container, and never lead out of the folder", async (t) => {
  const root = await unpacked(
    t,
    await imageOf(
      [
        folder("usr"),
        folder("usr/lib"),
        link("lib", "usr/lib"),
        link("etc", "/usr/etc"),
        link("up", "../../../../../../etc/passwd"),
        link("root", "/"),
      ],
      [
        file("lib/inside", "through a link"),
        file("etc/made", "through a link to a folder that was missing"),
        file("root/top", "at the root"),
      ],
    ),
  );
  assert.equal(await readFile(join(root, "usr/lib/inside"), "utf8"), "through a link");
  assert.equal(
    await readFile(join(root, "usr/etc/made"), "utf8"),
    "through a link to a folder that was missing",
  );
  assert.equal(await readFile(join(root, "top"), "utf8"), "at the root");
  assert.equal(await readlink(join(root, "up")), "etc/passwd");
  assert.equal(
    await readFile(join(root, "etc/made"), "utf8"),
    await readFile(join(root, "usr/etc/made"), "utf8"),
  );
});

test("a file replaces a link rather than being written through it", async (t) => {
  await using outside = await createTempDir("outside");
  const root = await unpacked(
    t,
    await imageOf([link("victim", join(outside.path, "file"))], [file("victim", "mine")]),
  );
  assert.equal(await readFile(join(root, "victim"), "utf8"), "mine");
  assert.deepEqual(await readdir(outside.path), []);
});

test("set-user bits are dropped, and folders stay readable to their owner", async (t) => {
  const root = await unpacked(
    t,
    await imageOf([
      { ...folder("shut"), mode: 0o000 },
      file("shut/in", "x"),
      { ...file("tool", "x"), mode: 0o4755 },
    ]),
  );
  assert.equal((await stat(join(root, "tool"))).mode & 0o7777, 0o755);
  assert.equal((await stat(join(root, "shut"))).mode & 0o700, 0o700);
});

test("hard links to files outside the image, and loops of links, are refused", async () => {
  await using outside = await createTempDir("refused");
  const hard = appendLayers(emptyImage(PLATFORM), [
    { layer: await layerOf(tarOf({ x: { type: "1", link: "not/there" } })), history: {} },
  ]);
  await assert.rejects(unpackImage(hard, join(outside.path, "1")), { code: "ARCHIVE_INVALID" });
  const loop = await imageOf([link("a", "b"), link("b", "a")], [file("a/file", "x")]);
  await assert.rejects(unpackImage(loop, join(outside.path, "2")), { code: "ARCHIVE_INVALID" });
});

test("an image of another architecture is refused, and so is a folder with something in it", async (t) => {
  await using place = await createTempDir("refused");
  await assert.rejects(
    unpackImage(emptyImage({ os: "linux", architecture: "s390x" }), join(place.path, "1")),
    { code: "UNSUPPORTED" },
  );
  const root = await unpacked(t, await imageOf([file("a", "1")]));
  await assert.rejects(unpackImage(emptyImage(PLATFORM), root), { code: "USAGE" });
});

test("a Python service runs from an unpacked base with the base's own libraries, and stops with all it started", async (t) => {
  const store = await temporaryStore(t);
  const base = await requireDebianBase(t, {
    include: ["python3", "python3-numpy"],
    architectures: [PLATFORM.architecture as "amd64"],
    blobs: store,
  });
  const built = base?.images[0];
  if (built === undefined) return;
  const script = `
import http.server, json, numpy, ssl, subprocess, sys, os
child = subprocess.check_output([sys.executable, "-c", "import sys, sqlite3; print(sys.prefix)"], text=True).strip()
facts = {"prefix": sys.prefix, "child": child, "numpy": numpy.__file__, "ssl": len(ssl.create_default_context().get_ca_certs()), "dot": float(numpy.linalg.norm(numpy.ones(4))),
  "libs": sorted({line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}), "root": os.environ["SLIPWAY_ROOT"]}
class Handler(http.server.BaseHTTPRequestHandler):
  def do_GET(self):
    self.send_response(200); self.end_headers(); self.wfile.write(json.dumps(facts).encode())
  def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
server.serve_forever()
`;
  const image = mutateConfig(built.image, (config) => ({
    ...config,
    config: {
      ...config.config,
      Entrypoint: ["/usr/bin/python3"],
      Cmd: ["-c", script],
      WorkingDir: "/tmp",
    },
  }));
  const root = await unpacked(t, image);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const service = await runUnpacked({
    image: { root, config: await configOf(image) },
    env: { PORT: String(port) },
    ready: { url, path: "/" },
  });
  const facts = (await (await fetch(url)).json()) as {
    prefix: string;
    child: string;
    numpy: string;
    ssl: number;
    dot: number;
    libs: string[];
    root: string;
  };
  assert.equal(facts.prefix, join(root, "usr"));
  assert.equal(facts.child, facts.prefix);
  assert.ok(facts.numpy.startsWith(`${root}/`));
  assert.ok(facts.ssl > 50, "certificates of the image are found");
  assert.equal(facts.dot, 2);
  assert.equal(facts.root, root);
  assert.deepEqual(
    facts.libs.filter((path) => !path.startsWith(`${root}/`)),
    [],
    "no library of the host is used",
  );
  await service.stop();
  assert.equal(await service.ended, 0);
  await assert.rejects(fetch(url));
});

test("a service that ends before it is ready is an error with what it printed", async (t) => {
  const store = await temporaryStore(t);
  const base = await requireDebianBase(t, {
    include: ["python3"],
    architectures: [PLATFORM.architecture as "amd64"],
    blobs: store,
  });
  const built = base?.images[0];
  if (built === undefined) return;
  const image = mutateConfig(built.image, (config) => ({
    ...config,
    config: {
      ...config.config,
      Entrypoint: ["/usr/bin/python3", "-c", "raise SystemExit('the reason')"],
    },
  }));
  await using place = await createTempDir("early-end");
  const files = await unpackImage(image, join(place.path, "root"));
  await assert.rejects(
    runUnpacked({ image: files, ready: { url: "http://127.0.0.1:9", path: "/" } }),
    (error: Error & { code?: string }) =>
      error.code === "ENGINE_FAILED" &&
      /exit code 1/.test(error.message) &&
      /the reason/.test(error.message),
  );
  // The image's own copy of the program is what was started.
  assert.match(
    (
      await run([join(files.root, "usr/bin/python3"), "-c", "import sys; print(sys.version)"])
    ).stdout.toString("utf8"),
    /^3\./,
  );
});
