import { oneChunk } from "../../src/ground/bytes/index.ts";
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { pushImage } from "../../src/images/copy/index.ts";
import {
  appendLayers,
  createArtifact,
  digestOf,
  EMPTY_CONTENT,
  EMPTY_DESCRIPTOR,
  imageFrom,
  manifestOf,
  validateImage,
  type Image,
} from "../../src/images/oci/index.ts";
import { createRegistry } from "../../src/images/registry/index.ts";
import { createStore } from "../../src/images/store/index.ts";
import { requireDebianBase, temporaryStore } from "../support/debian-base.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { startFaultRegistry, type FaultRegistry } from "../support/fault-registry.ts";
import { startForwardProxy } from "../support/forward-proxy.ts";
import { randomImage, randomLayer } from "../support/random-image.ts";
import { type PackPlace, packPlace } from "../support/pack-place.ts";

const MIB = 2 ** 20;
const HOST = "registry.test";

test("a base that is in the registry that is pushed to is never downloaded, nor sent", async (t) => {
  const peer = await startDockerRegistry(t);
  const base =
    peer === undefined
      ? undefined
      : await requireDebianBase(t, {
          include: ["python3"],
          architectures: ["amd64"],
          blobs: await temporaryStore(t),
        });
  const image = base?.images[0]?.image;
  if (peer === undefined || image === undefined) return;
  await using owner = createRegistry({ host: peer.host });
  await pushImage(image, owner.repository("base/python"), {
    to: [{ registry: peer.host, repository: "base/python", tag: "3" }],
  });
  const proxy = await startForwardProxy(t, { upstream: peer.host });
  const user = await packPlace(t, { isBare: true });
  await mkdir(join(user.root, "project"));
  await writeFile(
    join(user.root, "project/Model.py"),
    "class Model:\n    def predict(self, X, names=None):\n        return X\n",
  );

  const env = { http_proxy: `http://${proxy.host}` };
  const packed = await user.run(
    [
      "pack",
      "project",
      "--base",
      `${HOST}/base/python:3`,
      "-t",
      `${HOST}/team/iris:v1`,
      "--push",
      "--plain-http",
      "--json",
    ],
    { env },
  );
  assert.equal(packed.exitCode, 0, packed.stderr);
  const layers = (await manifestOf(image)).layers;
  const asked = proxy.calls.filter(
    ({ method, target }) =>
      method === "GET" && layers.some(({ digest }) => target.includes(digest)),
  );
  assert.deepEqual(asked, [], "no layer of the base was read");
  const mounts = proxy.calls.filter(
    ({ method, target }) =>
      method === "POST" &&
      target.includes("from=base%2Fpython") &&
      layers.some(({ digest }) => target.includes(encodeURIComponent(digest))),
  );
  assert.equal(mounts.length, layers.length);
  const result = lastLine(packed.stdout) as { digest: `sha256:${string}`; bytesMounted: number };
  assert.equal(
    result.bytesMounted,
    layers.reduce((sum, { size }) => sum + size, 0),
  );
  const there = owner.repository("team/iris");
  await validateImage(
    imageFrom(
      there,
      await there.resolve({ registry: peer.host, repository: "team/iris", digest: result.digest }),
    ),
  );
});

test("a push that is killed leaves a store that is whole, and the next push sends only what is missing", async (t) => {
  const registry = await startFaultRegistry(t);
  const size = 40 * MIB;
  const cut = 23 * MIB + 7;
  const { user, digest } = await userWith(
    t,
    appendLayers(randomImage({ layers: 1 }), [
      { layer: randomLayer({ seed: 3, bytes: size, compression: "none" }), history: {} },
    ]),
  );
  const reached = Promise.withResolvers<void>();
  registry.fault({
    method: "PATCH",
    action: { kind: "stall-request", atByte: cut, reached: () => reached.resolve() },
  });
  const target = `${registry.host}/team/iris:v1`;
  const first = user.start(...["push", "store:iris:v1", target]);
  const gone = once(first, "exit");
  await reached.promise;
  first.kill("SIGKILL");
  await gone;
  assert.equal(registry.manifests.size, 0, "nothing is there under a name");
  assert.equal((await user.run(["verify", "store:iris:v1"])).exitCode, 0);

  const second = await user.run(["push", "store:iris:v1", target]);
  assert.equal(second.exitCode, 0, second.stderr);
  assert.ok(second.stdout.endsWith(`${registry.host}/team/iris@${digest}\n`));
  const large = [...registry.blobs].find(([, bytes]) => bytes.byteLength > size);
  assert.equal(digestOf(large?.[1] ?? Buffer.alloc(0)), large?.[0]);
  assert.equal(
    received(registry),
    large?.[1].byteLength,
    "every byte of the large layer went once",
  );
  assert.deepEqual(await readdir(join(user.folders.state, "uploads")), []);
});

test("Ctrl-C ends a push at once with its own exit code, and what was sent is not sent again", async (t) => {
  const registry = await startFaultRegistry(t);
  const { user } = await userWith(
    t,
    randomImage({ layers: 1, bytes: 30 * MIB, compression: "none" }),
  );
  const reached = Promise.withResolvers<void>();
  registry.fault({
    method: "PATCH",
    action: { kind: "stall-request", atByte: 20 * MIB, reached: () => reached.resolve() },
  });
  const first = user.start(...["push", "store:iris:v1", `${registry.host}/team/iris:v1`]);
  const gone = once(first, "exit") as Promise<[number | null]>;
  await reached.promise;
  first.kill("SIGINT");
  assert.equal((await gone)[0], 130);
  assert.equal(
    (await user.run(["push", "store:iris:v1", `${registry.host}/team/iris:v1`])).exitCode,
    0,
  );
  const largest = Math.max(...[...registry.blobs.values()].map(({ byteLength }) => byteLength));
  assert.equal(received(registry), largest);
});

test("a push works where nothing can be remembered", async (t) => {
  const registry = await startFaultRegistry(t);
  const { user, digest } = await userWith(
    t,
    randomImage({ layers: 1, bytes: 10 * MIB, compression: "none" }),
  );
  await writeFile(dirname(user.folders.state), "a file where a folder should be");
  const pushed = await user.run(["push", "store:iris:v1", `${registry.host}/team/iris:v1`]);
  assert.equal(pushed.exitCode, 0, pushed.stderr);
  assert.ok(pushed.stdout.includes(digest));
});

test("a pull that fails in the middle leaves no image, and the next one brings what is missing", async (t) => {
  const registry = await startFaultRegistry(t);
  await using owner = createRegistry({ host: registry.host });
  const image = randomImage({ layers: 3, bytes: 2 * MIB, compression: "none" });
  await pushImage(image, owner.repository("team/iris"), {
    to: [{ registry: registry.host, repository: "team/iris", tag: "v1" }],
  });
  const { layers } = await manifestOf(image);
  const bad = layers[1]?.digest ?? "";
  registry.fault({
    method: "GET",
    path: bad,
    times: 50,
    action: {
      kind: "change-answer",
      change: (answer) => ({ ...answer, body: Buffer.from(answer.body).fill(1, 0, 10) }),
    },
  });
  const user = await packPlace(t, { isBare: true });
  const first = await user.run(["pull", `${registry.host}/team/iris:v1`]);
  assert.notEqual(first.exitCode, 0);
  assert.match(first.stderr, /error DIGEST_MISMATCH/);
  assert.equal((await user.run(["ls", "--quiet"])).stdout, "");

  const healthy = await startFaultRegistry(t);
  await using other = createRegistry({ host: healthy.host });
  await pushImage(image, other.repository("team/iris"), {
    to: [{ registry: healthy.host, repository: "team/iris", tag: "v1" }],
  });
  const second = await user.run(["pull", `${healthy.host}/team/iris:v1`]);
  assert.equal(second.exitCode, 0, second.stderr);
  assert.equal(healthy.seen("GET", bad).length, 1);
  assert.equal((await user.run(["verify", `store:${healthy.host}/team/iris:v1`])).exitCode, 0);
});

test("what refers to an image is copied with it when that is asked for", async (t) => {
  const [from, to] = [await startDockerRegistry(t), await startDockerRegistry(t)];
  if (from === undefined || to === undefined) return;
  await using registry = createRegistry({ host: from.host });
  const source = registry.repository("team/iris");
  const { descriptor: subject } = await pushImage(randomImage(), source, {
    to: [{ registry: from.host, repository: "team/iris", tag: "v1" }],
  });
  const card = createArtifact({ artifactType: "application/vnd.test.card", subject });
  await source.put(EMPTY_DESCRIPTOR, oneChunk(Buffer.from(EMPTY_CONTENT)));
  await source.put(card.descriptor, oneChunk(card.bytes));
  const user = await packPlace(t, { isBare: true });
  await using target = createRegistry({ host: to.host });
  const referrers = (): Promise<readonly unknown[]> =>
    target.repository("team/iris").referrers(subject.digest);
  assert.equal(
    (await user.run(["copy", `${from.host}/team/iris:v1`, `${to.host}/team/iris:v1`])).exitCode,
    0,
  );
  assert.deepEqual(await referrers(), []);
  assert.equal(
    (
      await user.run([
        "copy",
        `${from.host}/team/iris:v1`,
        `${to.host}/team/iris:v1`,
        "--referrers",
      ])
    ).exitCode,
    0,
  );
  assert.equal((await referrers()).length, 1);
  assert.equal(
    (await user.run(["copy", "oci:somewhere", `${to.host}/x:1`, "--referrers"])).exitCode,
    2,
  );
});

test("rm says so where a registry does not delete single tags, and removes the manifest when asked to", async (t) => {
  const peer = await startDockerRegistry(t);
  if (peer === undefined) return;
  const { user } = await userWith(t, randomImage());
  const name = `${peer.host}/team/iris:v1`;
  await user.run(["push", "store:iris:v1", name]);
  const refused = await user.run(["rm", name]);
  assert.equal(refused.exitCode, 6);
  assert.match(
    refused.stderr,
    /error REGISTRY_REFUSED: .*does not remove single tags\n {2}hint: with --manifest/,
  );
  assert.equal((await user.run(["rm", name, "--manifest"])).exitCode, 0);
  assert.equal((await user.run(["inspect", name])).exitCode, 7);
  assert.equal((await user.run(["rm", "store:iris:v1"])).exitCode, 0);
  assert.match((await user.run(["gc"])).stdout, /^freed .*: [1-9]\d* blobs/);
});

async function userWith(
  t: TestContext,
  image: Image,
): Promise<{ readonly user: PackPlace; readonly digest: string }> {
  const user = await packPlace(t, { isBare: true });
  await using store = createStore({
    dataDir: user.folders.data,
    cacheDir: user.folders.cache,
  });
  const { descriptor } = await pushImage(image, store, {
    to: [{ registry: "store", repository: "iris", tag: "v1" }],
  });
  return { user, digest: descriptor.digest };
}

/** Body bytes of uploads in parts, which only large blobs take. */
function received(registry: FaultRegistry): number {
  return registry.seen("PATCH").reduce((sum, { bytes }) => sum + bytes, 0);
}

function lastLine(text: string): unknown {
  return JSON.parse(text.trim().split("\n").at(-1) ?? "{}");
}
