import assert from "node:assert/strict";
import { watch } from "node:fs";
import { appendFile, readdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { putFakeBase } from "../support/fake-base.ts";
import { type PackPlace, packPlace, untilEnd, writeFiles } from "../support/pack-place.ts";
import { startFaultRegistry } from "../support/fault-registry.ts";
import { withoutPeer } from "../support/peers.ts";
import { randomBytesOf } from "../support/random-image.ts";
import { startRegistry } from "../support/registry-fixture.ts";

const CODE = "class Model:\n    def predict(self, X, names=None):\n        return X\n";

/** Enough that is no weight to be written for a while. */
function bulkyFiles(count: number): Readonly<Record<string, string | Uint8Array>> {
  return {
    "Model.py": CODE,
    ...Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `data/${index}.dat`,
        randomBytesOf(index + 1, 4 * 2 ** 20),
      ]),
    ),
  };
}

async function digestOf(cli: PackPlace, ...args: readonly string[]): Promise<string> {
  const ran = await cli.slipway("pack", ...args, "--base", "store:base", "--json");
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr);
  return String(ran.result["digest"]);
}

test("a pack that is killed while it writes leaves a valid store, and the next one gives the image", async (t) => {
  const reference = await packPlace(t);
  await putFakeBase(reference.store, "base");
  const folder = join(reference.root, "model");
  await writeFiles(folder, bulkyFiles(5));
  const wanted = await digestOf(reference, folder);
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base");
  const deaths: (string | null)[] = [];
  for (const writes of [1, 4, 12, 20])
    deaths.push(await killAfter(cli, writes, ["pack", folder, "--base", "store:base"]));
  assert.ok(deaths.includes("SIGKILL"), "at least one was killed before its end");
  assert.equal(await digestOf(cli, folder), wanted);
  const verified = await cli.slipway("verify", "store:model");
  assert.equal(verified.exitCode, 0, verified.stderr);
  assert.equal((await cli.slipway("gc")).exitCode, 0);
  assert.equal((await cli.slipway("verify", "store:model")).exitCode, 0);
});

/** Kills a command when it has changed files of its store or cache so many times. @returns the signal it died of, or `null` when it came to its end first. */
async function killAfter(
  cli: PackPlace,
  writes: number,
  args: readonly string[],
): Promise<string | null> {
  let seen = 0;
  const child = cli.start(...args);
  const ended = untilEnd(child);
  const watchers = [cli.store.dataDir, cli.store.cacheDir].map(
    (folder) =>
      watch(folder, { recursive: true }, () => {
        seen += 1;
        if (seen === writes) child.kill("SIGKILL");
      }).on("error", () => undefined), // a folder that went away while it was looked at
  );
  await ended;
  for (const watcher of watchers) watcher.close();
  return child.signalCode;
}

test("two packs at once on one store both succeed, of the same project and of two", async (t) => {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base");
  await writeFiles(join(cli.root, "one"), bulkyFiles(3));
  await writeFiles(join(cli.root, "two"), {
    ...bulkyFiles(2),
    "weights.bin": randomBytesOf(99, 9 * 2 ** 20),
  });
  const [first, second, other] = await Promise.all([
    digestOf(cli, "one"),
    digestOf(cli, "one", "-t", "store:again"),
    digestOf(cli, "two"),
  ]);
  assert.equal(second, first);
  assert.notEqual(other, first);
  for (const name of ["store:one", "store:again", "store:two"])
    assert.equal((await cli.slipway("verify", name)).exitCode, 0, name);
});

test("a pack that is killed while it sends a new weight is taken up by the next one where it stopped", async (t) => {
  const cli = await packPlace(t);
  const registry = await startFaultRegistry(t);
  await putFakeBase(cli.store, "base");
  const folder = join(cli.root, "model");
  const [size, cut] = [40 * 2 ** 20, 23 * 2 ** 20 + 7];
  const pack = ["pack", folder, "--base", "store:base", "-t", `${registry.host}/model:1`, "--push"];
  await writeFiles(folder, { "Model.py": CODE });
  assert.equal((await cli.slipway(...pack)).exitCode, 0); // all that is no weight is there, and only a weight is sent by PATCH
  registry.manifests.clear();
  registry.requests.length = 0;
  await writeFiles(folder, { "weights.bin": randomBytesOf(7, size) });
  const reached = Promise.withResolvers<void>();
  registry.fault({
    method: "PATCH",
    action: { kind: "stall-request", atByte: cut, reached: reached.resolve },
  });
  const first = cli.start(...pack);
  const ended = untilEnd(first);
  await reached.promise;
  first.kill("SIGKILL");
  await ended;
  assert.equal(registry.manifests.size, 0);
  const second = await cli.slipway(...pack);
  assert.equal(second.exitCode, 0, second.stderr);
  assert.ok([...registry.manifests.keys()].includes("model:1"));
  const weight = [...registry.blobs.values()].find(
    ({ byteLength }) => byteLength > size && byteLength < size + 2 * 4096 + 5000,
  );
  const sent = registry.seen("PATCH").reduce((sum, { bytes }) => sum + bytes, 0);
  assert.equal(sent, weight?.byteLength, "every byte of the weight went once");
});

test("Ctrl-C ends a pack that reads a large weight at once", async (t) => {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base");
  const folder = join(cli.root, "model");
  await writeFiles(folder, { "Model.py": CODE, "weights.bin": "" });
  await truncate(join(folder, "weights.bin"), 2 ** 40); // more than can be read while a test runs
  const child = cli.start("pack", folder, "--base", "store:base", "--json");
  if (child.stdout === null) throw new Error("no output");
  const ended = untilEnd(child);
  for await (const line of createInterface({ input: child.stdout }))
    if (line.includes('"label":"reading weights.bin"')) break;
  child.kill("SIGINT");
  const { exitCode, result } = await ended;
  assert.deepEqual([exitCode, result["code"]], [130, "INTERRUPTED"]);
  assert.equal((await cli.slipway("verify", "store:model")).exitCode, 7);
});

test("a weight that changes while it is sent is refused by name, and the tag does not move", async (t) => {
  const cli = await packPlace(t);
  await using registry = await startRegistry();
  await putFakeBase(cli.store, "base");
  const folder = join(cli.root, "model");
  await writeFiles(folder, { "Model.py": CODE, "weights.bin": "" });
  await truncate(join(folder, "weights.bin"), 384 * 2 ** 20);
  const name = `${registry.server.host}:${registry.server.port}/model:1`;
  const child = cli.start("pack", folder, "--base", "store:base", "-t", name, "--push", "--json");
  if (child.stdout === null) throw new Error("no output");
  const ended = untilEnd(child);
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes('"label":"weights.bin"')) continue;
    await appendFile(join(folder, "weights.bin"), "more");
    break;
  }
  const { exitCode, result } = await ended;
  assert.notEqual(exitCode, 0);
  assert.equal(result["code"], "FILE_CHANGED");
  assert.match(String(result["message"]), /weights\.bin/);
  assert.equal((await registry.send("GET", "/v2/model/manifests/1")).status, 404);
  const again = await cli.slipway("pack", folder, "--base", "store:base", "-t", name, "--push");
  assert.equal(again.exitCode, 0, again.stderr);
  assert.equal((await registry.send("GET", "/v2/model/manifests/1")).status, 200);
});

/** A file system of few megabytes, unmounted with the test; `undefined` where none can be had. */
async function smallDisk(
  t: TestContext,
  megabytes: number,
): Promise<{ readonly path: string; readonly makeReadOnly: () => Promise<void> } | undefined> {
  if (process.getuid?.() !== 0)
    return withoutPeer(t, "a small file system can only be mounted by root");
  const folder = await createTempDir("slipway-disk");
  const mounted = await run(
    ["mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder.path],
    { allowFailure: true },
  );
  if (mounted.exitCode !== 0)
    return withoutPeer(t, `tmpfs cannot be mounted here: ${mounted.stderrTail.trim()}`);
  t.after(async () => {
    await run(["umount", "--lazy", folder.path]);
    await folder[Symbol.asyncDispose]();
  });
  return {
    path: folder.path,
    makeReadOnly: async () => void (await run(["mount", "-o", "remount,ro", folder.path])),
  };
}

test("a disk that fills up is named, what was there stays whole, and what fits is packed afterwards", async (t) => {
  const disk = await smallDisk(t, 75);
  if (disk === undefined) return;
  await using projects = await createTempDir("projects");
  const cli = await packPlace(t, { parent: disk.path });
  await putFakeBase(cli.store, "base");
  await writeFiles(join(projects.path, "small"), { "Model.py": CODE });
  await writeFiles(join(projects.path, "large"), bulkyFiles(12));
  await digestOf(cli, join(projects.path, "small"));
  const full = await cli.slipway("pack", join(projects.path, "large"), "--base", "store:base");
  assert.match(full.stderr, /error DISK_FULL/);
  assert.notEqual(full.exitCode, 0);
  assert.equal((await cli.slipway("verify", "store:small")).exitCode, 0);
  await writeFile(join(projects.path, "small", "Model.py"), `${CODE}# changed\n`);
  await digestOf(cli, join(projects.path, "small"));
  assert.equal((await cli.slipway("verify", "store:small")).exitCode, 0);
});

test("a read-only store is named when something new is packed, and still gives what it has", async (t) => {
  const disk = await smallDisk(t, 200);
  if (disk === undefined) return;
  await using projects = await createTempDir("projects");
  const cli = await packPlace(t, { parent: disk.path });
  await putFakeBase(cli.store, "base");
  const folder = join(projects.path, "model");
  await writeFiles(folder, { "Model.py": CODE });
  await digestOf(cli, folder);
  await disk.makeReadOnly();
  await writeFile(join(folder, "Model.py"), `${CODE}# changed\n`);
  const refused = await cli.slipway("pack", folder, "--base", "store:base");
  assert.match(refused.stderr, /error STORE_UNWRITABLE/);
  assert.equal((await cli.slipway("verify", "store:model")).exitCode, 0);
  const dry = await cli.slipway("pack", folder, "--base", "store:base", "--dry-run");
  assert.equal(dry.exitCode, 0, dry.stderr);
  assert.deepEqual(await readdir(folder), ["Model.py"]);
});
