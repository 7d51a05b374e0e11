import assert from "node:assert/strict";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { appendLayers, digestOf, MEDIA_TYPES, mutateConfig } from "../../src/images/oci/index.ts";
import { nameInStore } from "../support/fake-base.ts";
import { type PackPlace, packPlace, writeFiles } from "../support/pack-place.ts";
import { requireDebianBase, storeImage } from "../support/debian-base.ts";
import { requireDockerd } from "../support/dockerd.ts";
import { requirePodman } from "../support/engines.ts";
import { startFaultRegistry, type FaultRegistry } from "../support/fault-registry.ts";
import { bytesLayer } from "../support/random-image.ts";
import { tarOf } from "../support/tiny-tar.ts";
import { putVendorBase } from "../support/vendor-base.ts";

/** Written as for the old service; what comes in says how it answers. */
const CLASS = `
import os
from uai.arch.tf_model import TFAiUcloudModel

class Echo(TFAiUcloudModel):
    def __init__(self, conf):
        super(Echo, self).__init__(conf)

    def load_model(self):
        with open(os.path.join(self.model_dir, "weights.bin"), "rb") as weights:
            self.output["size"] = len(weights.read())

    def execute(self, data, batch_size):
        return [self.answer(item.read()) for item in data]

    def answer(self, body):
        if body == b"raise":
            raise ValueError("not a picture")
        if body == b"bytes":
            return bytes(bytearray(range(256)))
        if body == b"end":
            os._exit(3)
        return "%d bytes of %d\\n" % (len(body), self.output["size"])
`;

interface Place {
  readonly cli: PackPlace;
  readonly registry: FaultRegistry;
  readonly words: readonly string[];
}

/** A folder with a class, files to send it, and a registry that keeps what it is sent in memory. */
async function place(t: TestContext): Promise<Place | undefined> {
  const cli = await packPlace(t);
  const base = await requireDebianBase(t, {
    include: ["python3"],
    architectures: ["amd64"],
    blobs: cli.store,
  });
  const [amd64] = base?.images ?? [];
  if (amd64 === undefined) return undefined;
  await cli.store.tag(
    await storeImage(cli.store, amd64.image, "pybase:test"),
    nameInStore("pybase"),
  );
  await writeFiles(cli.root, {
    "echo/echo.py": CLASS,
    "echo/checkpoint_dir/weights.bin": "weights",
    "2.txt": "two",
    "raise.txt": "raise",
    "bytes.txt": "bytes",
    "end.txt": "end",
  });
  const registry = await startFaultRegistry(t);
  const words = [
    "packdocker",
    "tf",
    "--pack_file_path",
    "echo",
    "--main_module",
    "echo",
    "--main_class",
    "Echo",
    "--model_dir",
    "checkpoint_dir",
    "--bimg_name",
    "store:pybase",
    "--uhub_registry",
    `${registry.host}/me`,
    "--uhub_imagename",
    "echo:v1",
  ];
  return { cli, registry, words };
}

/** Nothing was pushed, named, or left lying about. */
async function assertNothing({ cli, registry }: Place): Promise<void> {
  assert.equal(registry.manifests.size, 0, "nothing is pushed");
  const listed = await cli.slipway("ls");
  assert.ok(!listed.stdout.includes("echo"), listed.stdout);
  assert.deepEqual((await readdir(cli.root)).toSorted(), [
    "2.txt",
    "bytes.txt",
    "echo",
    "end.txt",
    "raise.txt",
  ]);
  const cache = join(cli.env["XDG_CACHE_HOME"] ?? "", "slipway");
  assert.deepEqual(
    (await readdir(cache)).filter((name) => name.startsWith("test-")),
    [],
  );
}

test("--test starts the packed server without an engine, shows what it answers, and pushes then", async (t) => {
  const at = await place(t);
  if (at === undefined) return;
  const { cli, registry, words } = at;
  const ran = await cli.slipway(
    ...words,
    "--test",
    "2.txt",
    "--test",
    join(cli.root, "bytes.txt"),
    "--test-engine",
    "none",
  );
  assert.equal(ran.exitCode, 0, ran.stderr);
  const [first, answer, second, pushed] = ran.stdout.split("\n");
  assert.match(first ?? "", /^test 2\.txt: 200, text\/plain; charset=utf-8, 13 B in \d/);
  assert.equal(answer, "  3 bytes of 7");
  assert.match(second ?? "", /^test \/.*\/bytes\.txt: 200, application\/octet-stream, 256 B in \d/);
  assert.equal(pushed, `upload docker images successful. images:${registry.host}/me/echo:v1`);
  assert.ok(registry.manifests.has("me/echo:v1"));
  const json = await cli.slipway(
    ...words,
    "--no-push",
    "--test",
    "2.txt",
    "--test",
    "bytes.txt",
    "--test-engine",
    "none",
    "--json",
  );
  const tests = json.result["tests"] as readonly Readonly<Record<string, unknown>>[];
  assert.deepEqual(
    tests.map(({ file, status, sizeBytes, text }) => [file, status, sizeBytes, text]),
    [
      ["2.txt", 200, 13, "3 bytes of 7\n"],
      ["bytes.txt", 200, 256, undefined],
    ],
  );
});

const FAILURES: readonly (readonly [
  name: string,
  file: string,
  source: string,
  exitCode: number,
  message: RegExp,
])[] = [
  [
    "an answer that is not good",
    "raise.txt",
    CLASS,
    9,
    /MODEL_FAILED: test "raise\.txt": the packed server answered 500:\nnot a picture/,
  ],
  [
    "a process that ends",
    "end.txt",
    CLASS,
    9,
    /MODEL_FAILED: test "end\.txt": the packed server answered 5\d\d/,
  ],
  [
    "a class that does not start",
    "2.txt",
    CLASS.replace("weights.bin", "absent.bin"),
    8,
    /ENGINE_FAILED: .*it ended with exit code 9; its last lines:[^]*No such file or directory/,
  ],
];

test("a test that fails ends the command before anything is pushed, and leaves nothing", async (t) => {
  const at = await place(t);
  if (at === undefined) return;
  for (const [name, file, source, exitCode, message] of FAILURES) {
    await writeFile(join(at.cli.root, "echo/echo.py"), source);
    const ran = await at.cli.slipway(
      ...at.words,
      "--test",
      file,
      "--test-engine",
      "none",
      "--write-conf",
      "--emit-dockerfile",
      "uai.Dockerfile",
    );
    assert.equal(ran.exitCode, exitCode, `${name}: ${ran.stderr}`);
    assert.match(ran.stderr, message, name);
    assert.ok(!ran.stdout.includes("successful"), name);
    await assertNothing(at);
  }
  assert.deepEqual((await readdir(join(at.cli.root, "echo"))).toSorted(), [
    "checkpoint_dir",
    "echo.py",
  ]);
});

test("files that are not there are named with every other problem, before anything is made", async (t) => {
  const cli = await packPlace(t);
  await mkdir(join(cli.root, "folder"));
  const ran = await cli.slipway(
    "packdocker",
    "tf",
    "--pack_file_path",
    "folder",
    "--test",
    "absent.jpg",
    "--test",
    "folder",
  );
  assert.equal(ran.exitCode, 2);
  for (const part of [
    "--main_class: it is missing",
    '--test: "absent.jpg" is not a file',
    '--test: "folder" is not a file',
  ])
    assert.ok(ran.stderr.includes(part), ran.stderr);
});

test("the server of the vendor's own base is not tried outside a container", async (t) => {
  const cli = await packPlace(t);
  await putVendorBase(cli.store, "vendor");
  await writeFiles(cli.root, {
    "echo/echo.py": CLASS,
    "echo/checkpoint_dir/weights.bin": "weights",
    "2.txt": "two",
  });
  const ran = await cli.slipway(
    "packdocker",
    "tf",
    "--pack_file_path",
    "echo",
    "--main_module",
    "echo",
    "--main_class",
    "Echo",
    "--model_dir",
    "checkpoint_dir",
    "--bimg_name",
    "store:vendor",
    "--uhub_registry",
    "localhost:1/me",
    "--uhub_imagename",
    "echo:v1",
    "--test",
    "2.txt",
    "--no-push",
    "--test-engine",
    "none",
  );
  assert.equal(ran.exitCode, 4);
  assert.match(
    ran.stderr,
    /UNSUPPORTED: test the image: the server of its base starts in a container only/,
  );
});

test("docker runs it where docker answers, with the server of the vendor's own base too, and has nothing of it afterwards", async (t) => {
  const dockerd = await requireDockerd(t);
  const at = dockerd === undefined ? undefined : await place(t);
  if (dockerd === undefined || at === undefined) return;
  at.cli.env["DOCKER_HOST"] = dockerd.host;
  const before = await dockerd.docker("image", "ls", "--all", "--quiet");
  const good = await at.cli.slipway(...at.words, "--test", "2.txt", "--no-push");
  assert.equal(good.exitCode, 0, good.stderr);
  assert.match(good.stderr, /starting the packed server with docker/);
  assert.match(good.stdout, /^test 2\.txt: 200, .*\n {2}3 bytes of 7\n/);
  const bad = await at.cli.slipway(...at.words, "--test", "2.txt", "--test", "raise.txt");
  assert.equal(bad.exitCode, 9, bad.stderr);
  assert.match(bad.stdout, /^test 2\.txt: 200, .*\n {2}3 bytes of 7\n$/);
  assert.match(bad.stderr, /not a picture/);
  assert.equal(at.registry.manifests.size, 0);
  await putRunningVendorBase(t, at.cli);
  const theirs = await at.cli.slipway(
    ...at.words,
    "--bimg_name",
    "store:vendor",
    "--test",
    "2.txt",
    "--no-push",
  );
  assert.equal(theirs.exitCode, 0, theirs.stderr);
  assert.match(theirs.stderr, /gunicorn serves/);
  assert.match(
    theirs.stdout,
    /^test 2\.txt: 200, text\/plain, .*\n {2}-c gunicorn\.conf\.py httpserver\.wsgi, \/ai-ucloud-client-django, \/ai-ucloud-client-django\/ufile\.json, \/service, two\n/,
  );
  assert.equal(await dockerd.docker("image", "ls", "--all", "--quiet"), before);
  assert.equal(await dockerd.docker("ps", "--all", "--quiet"), "");
});

test("podman runs it when it is asked for, and has nothing of it afterwards", async (t) => {
  const podman = await requirePodman(t);
  const at = podman === undefined ? undefined : await place(t);
  if (podman === undefined || at === undefined) return;
  // The test's own storage, under the name that the command looks for.
  const bin = join(at.cli.root, "../bin");
  await mkdir(bin);
  await writeFile(
    join(bin, "podman"),
    `#!/bin/sh\nexec ${[podman.engine.program, ...podman.storageArgs].join(" ")} "$@"\n`,
  );
  await chmod(join(bin, "podman"), 0o755);
  at.cli.env["PATH"] = `${bin}:${at.cli.env["PATH"]}`;
  const good = await at.cli.slipway(
    ...at.words,
    "--test",
    "2.txt",
    "--no-push",
    "--test-engine",
    "podman",
  );
  assert.equal(good.exitCode, 0, good.stderr);
  assert.match(good.stdout, /^test 2\.txt: 200, .*\n {2}3 bytes of 7\n/);
  const bad = await at.cli.slipway(...at.words, "--test", "raise.txt", "--test-engine", "podman");
  assert.equal(bad.exitCode, 9, bad.stderr);
  assert.equal(at.registry.manifests.size, 0);
  assert.equal(await podman.podman("image", "ls", "--all", "--quiet"), "");
  assert.equal(await podman.podman("ps", "--all", "--quiet"), "");
});

/** Stands for the program that the old command starts; says how it was started. */
const GUNICORN = `#!/usr/bin/python3
import http.server, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        text = "%s, %s, %s, %s, %s" % (" ".join(sys.argv[1:]), os.getcwd(), os.environ["UAI_SERVICE_CONFIG"], self.path, body)
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.end_headers()
        self.wfile.write(text.encode())

http.server.HTTPServer(("", 8080), Handler).serve_forever()
`;

/** A base with the vendor's folder and with programs that run. */
async function putRunningVendorBase(t: TestContext, { store }: PackPlace): Promise<void> {
  const base = await requireDebianBase(t, {
    include: ["python3", "dash"],
    architectures: ["amd64"],
    blobs: store,
  });
  const [amd64] = base?.images ?? [];
  assert.ok(amd64 !== undefined);
  const tar = tarOf({
    "usr/local/bin/gunicorn": { content: GUNICORN, mode: 0o755 },
    "ai-ucloud-client-django/gunicorn.conf.py": "",
    "ai-ucloud-client-django/httpserver/wsgi.py": "",
  });
  const layer = bytesLayer(tar, MEDIA_TYPES.layerTar, digestOf(tar));
  await store.put(await layer.descriptor(), layer.open());
  const image = mutateConfig(
    appendLayers(amd64.image, [{ layer, history: { created_by: "vendor" } }]),
    (config) => ({ ...config, config: { Env: config.config?.Env ?? [] } }),
  );
  await store.tag(await storeImage(store, image, "vendor:test"), nameInStore("vendor"));
}
