import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  createEngine,
  findEngine,
  runImage,
  type Engine,
  type EngineOptions,
} from "../../src/images/engine/index.ts";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { openArchive } from "../../src/images/layout/index.ts";
import { configOf, imageFrom } from "../../src/images/oci/index.ts";
import {
  archiveOf,
  requireDebianBase,
  storeImage,
  temporaryStore,
} from "../support/debian-base.ts";
import { requireDockerd } from "../support/dockerd.ts";
import { requirePodman } from "../support/engines.ts";

const NAME = "example.test/base:1";
const SERVER =
  "import http.server,os; open('/tmp/x','w'); http.server.ThreadingHTTPServer(('',8080), http.server.SimpleHTTPRequestHandler).serve_forever()";

const engines: readonly {
  readonly kind: string;
  readonly require: (t: TestContext) => Promise<EngineOptions | undefined>;
}[] = [
  { kind: "docker", require: async (t) => (await requireDockerd(t))?.engine },
  { kind: "podman", require: async (t) => (await requirePodman(t))?.engine },
];

async function loaded(t: TestContext, options: EngineOptions): Promise<Engine | undefined> {
  const store = await temporaryStore(t);
  const base = await requireDebianBase(t, { include: ["python3"], blobs: store });
  const image = base?.images[0]?.image;
  if (image === undefined) return undefined;
  const engine = createEngine(options);
  const archive = await archiveOf(store, await storeImage(store, image, NAME), NAME);
  assert.deepEqual(await engine.load(archive.open()), [NAME]);
  return engine;
}

for (const { kind, require } of engines) {
  test(`${kind} runs a base of ours: ports, mounts, variables, early ends, export`, async (t) => {
    const options = await require(t);
    const engine = options === undefined ? undefined : await loaded(t, options);
    if (options === undefined || engine === undefined) return;

    await t.test("it is found, and knows what it holds", async () => {
      const found = await findEngine({ prefer: options.kind, calls: { [options.kind]: options } });
      assert.deepEqual(found, options);
      assert.equal(await engine.has(NAME), true);
      assert.equal(await engine.has("example.test/other:1"), false);
    });

    await t.test("a service is ready when it answers, with its files and variables", async () => {
      await using folder = await createTempDir("mount");
      await chmod(folder.path, 0o755);
      await writeFile(join(folder.path, "hello.txt"), "from outside");
      const { container, url, ports } = await runImage({
        engine,
        request: {
          image: NAME,
          user: "8888:0",
          ports: [{ containerPort: 8080 }],
          mounts: [{ source: folder.path, target: "/data", readOnly: true }],
          env: { GREETING: "a b=c" },
          entrypoint: "/usr/bin/python3",
          command: [
            "-c",
            `import os; os.chdir('/data'); print('greeting', os.environ['GREETING'], flush=True); ${SERVER}`,
          ],
        },
        ready: { containerPort: 8080, path: "/hello.txt", timeoutMs: 60_000 },
      });
      try {
        assert.equal(ports.length, 1);
        assert.equal(await (await fetch(`${url}/hello.txt`)).text(), "from outside");
        assert.equal((await container.inspect()).isRunning, true);
        let log = "";
        await container.logs((text) => (log += text), { isFollowing: false });
        assert.match(log, /greeting a b=c/);
        await container.stop({ graceS: 0 });
        assert.equal((await container.inspect()).isRunning, false);
        assert.notEqual(await container.wait(), 0);
      } finally {
        await container.remove();
      }
    });

    await t.test("a container that ends at once is an error with its last lines", async () => {
      const starting = runImage({
        engine,
        request: {
          image: NAME,
          ports: [{ containerPort: 8080 }],
          entrypoint: "/usr/bin/python3",
          command: ["-c", "import sys; print('the reason', file=sys.stderr); sys.exit(7)"],
        },
        ready: { containerPort: 8080, path: "/", timeoutMs: 60_000 },
      });
      await assert.rejects(
        starting,
        (error: Error & { code?: string }) =>
          error.code === "ENGINE_FAILED" &&
          /exit code 7/.test(error.message) &&
          /the reason/.test(error.message),
      );
    });

    await t.test("nothing is left of containers that did not come to anything", async () => {
      const { stdout } = await run([
        options.program ?? kind,
        ...(options.globalArgs ?? []),
        "ps",
        "--all",
        "--quiet",
      ]);
      assert.equal(stdout.toString("utf8"), "");
    });

    await t.test(
      "an image that is not there is said to be missing, and nothing is fetched",
      async () => {
        await assert.rejects(engine.start({ image: "example.test/other:1" }), {
          code: "REFERENCE_NOT_FOUND",
        });
      },
    );

    await t.test("an image comes out again as an archive with the same layers", async () => {
      await using folder = await createTempDir("export");
      const path = join(folder.path, "image.tar");
      await writeFile(path, engine.save(NAME));
      await using archive = await openArchive(path);
      const [descriptor] = archive.list();
      assert.ok(descriptor);
      const config = await configOf(imageFrom(archive, descriptor));
      assert.equal(config.rootfs.diff_ids.length, 3);
      assert.equal(config.config?.Labels?.["dev.slipway.base.suite"] !== undefined, true);
    });
  });
}

test("without an engine the error says why, and offers to serve without one", async () => {
  const missing = { program: "/nonexistent/engine" };
  await assert.rejects(
    findEngine({ calls: { docker: missing, podman: missing } }),
    (error: Error & { code?: string; hint?: string }) =>
      error.code === "ENGINE_MISSING" &&
      /slipway serve/.test(error.hint ?? "") &&
      /docker: not installed; podman: not installed/.test(error.message),
  );
});
