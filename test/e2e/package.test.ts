import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { access, lstat, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { putFakeBase } from "../support/fake-base.ts";
import { packPlace, type Ran, untilEnd, writeFiles } from "../support/pack-place.ts";
import { findPeer, withoutPeer } from "../support/peers.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const MAX_INSTALLED_BYTES = 25 * 2 ** 20;

/** Packs the package, installs it without anything optional, and gives the folder. */
async function install(t: TestContext): Promise<string | undefined> {
  const npm = findPeer("npm");
  if (npm === undefined) return withoutPeer(t, '"npm" is not installed');
  const folder = await createTempDir("slipway-install");
  t.after(() => folder[Symbol.asyncDispose]());
  await run([process.execPath, "scripts/build.js"], {
    cwd: ROOT,
    timeoutMs: 180_000,
    signal: t.signal,
  });
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await run([npm, "pack", "--pack-destination", folder.path, ...quiet], {
    cwd: ROOT,
    timeoutMs: 60_000,
    signal: t.signal,
  });
  const tarball = (await readdir(folder.path)).find((name) => name.endsWith(".tgz"));
  assert.ok(tarball !== undefined);
  const place = join(folder.path, "empty");
  await mkdir(place);
  await writeFile(join(place, "package.json"), '{ "name": "place", "private": true }\n');
  const installed = await run(
    [
      npm,
      "install",
      `../${tarball}`,
      "--omit=dev",
      "--omit=optional",
      "--prefer-offline",
      ...quiet,
    ],
    { cwd: place, timeoutMs: 180_000, signal: t.signal, allowFailure: true },
  );
  if (
    installed.exitCode !== 0 &&
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT/.test(installed.stderrTail)
  )
    return withoutPeer(t, "the npm registry does not answer");
  assert.equal(installed.exitCode, 0, installed.stderrTail);
  return place;
}

async function bytesBelow(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const stats = await Promise.all(names.map((name) => lstat(join(folder, name))));
  return stats.reduce((sum, one) => sum + (one.isFile() ? one.size : 0), 0);
}

test("the package that is published installs small, and packs and verifies an image by itself", async (t) => {
  const place = await install(t);
  if (place === undefined) return;
  const bytes = await bytesBelow(join(place, "node_modules"));
  t.diagnostic(`installed without ONNX Runtime: ${(bytes / 2 ** 20).toFixed(1)} MiB`);
  assert.ok(bytes < MAX_INSTALLED_BYTES, `${bytes} bytes are installed`);
  await assert.rejects(
    access(join(place, "node_modules/onnxruntime-node")),
    "ONNX Runtime is optional",
  );

  const cli = await packPlace(t);
  const env = { ...cli.env, SLIPWAY_FROM_SOURCE: "0" };
  const bin = join(place, "node_modules/slipway/bin/slipway.js");
  const slipway = (...args: readonly string[]): Promise<Ran> =>
    untilEnd(
      spawn(process.execPath, [bin, ...args], {
        cwd: cli.root,
        env,
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );

  const help = await slipway("--help");
  assert.match(help.stdout, /slipway COMMAND/);
  assert.match(help.stdout, /\n {2}pack /);
  assert.equal((await slipway("--quiet", "--help")).stdout, help.stdout); // kept by the build, and made anew
  const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    readonly version: string;
  };
  assert.equal((await slipway("--version")).stdout.trim(), version);

  await putFakeBase(cli.store, "base");
  await writeFiles(join(cli.root, "iris"), {
    "Iris.py": "class Iris:\n    def predict(self, X, names=None):\n        return X\n",
    "weights.npy": Buffer.alloc(1000, 1),
  });
  const packed = await slipway("pack", "iris", "--base", "store:base", "--json");
  assert.equal(packed.exitCode, 0, packed.stdout + packed.stderr);
  assert.match(String(packed.result["digest"]), /^sha256:[0-9a-f]{64}$/);
  const verified = await slipway("verify", "store:iris");
  assert.equal(verified.exitCode, 0, verified.stderr);
  const checked = await slipway("doctor", "store:iris");
  assert.equal(checked.exitCode, 0, checked.stdout + checked.stderr);
  assert.match(checked.stdout, /ok +entrypoint +\/opt\/slipway\/node/);

  await writeFiles(join(cli.root, "digits"), {
    "model.onnx": await readFile(join(ROOT, "test/fixtures/onnx/digits.onnx")),
  });
  const onnx = await slipway("pack", "digits", "--base", "store:base");
  assert.match(
    onnx.stderr,
    /error RUNTIME_MISSING: pack: onnxruntime-node is not installed\n {2}hint: run `npm install onnxruntime-node`/,
  );
});
