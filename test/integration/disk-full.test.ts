import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { putFakeBase } from "../support/fake-base.ts";
import { packPlace, untilEnd, writeFiles } from "../support/pack-place.ts";
import { spawn } from "node:child_process";

/** A file system of one mebibyte that goes away on dispose; `undefined` where none may be mounted. */
async function tinyDisk(t: TestContext, path: string): Promise<AsyncDisposable | undefined> {
  await mkdir(path);
  const mounted = await run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", path], {
    allowFailure: true,
  });
  if (mounted.exitCode !== 0) {
    t.skip("only root may mount a small disk");
    return undefined;
  }
  return {
    async [Symbol.asyncDispose]() {
      await run(["umount", "--lazy", path]);
    },
  };
}

test("a full cache or temporary folder is DISK_FULL with its name, not a bug of ours", async (t) => {
  const line = await packPlace(t);
  await putFakeBase(line.store, "pybase");
  await writeFiles(join(line.root, "p"), {
    "Model.py": "class Model:\n    def predict(self, X, names=None):\n        return X\n",
    "requirements.txt": "six\n",
  });
  const disk = join(line.root, "disk");
  await using mounted = await tinyDisk(t, disk);
  if (mounted === undefined) return;
  await writeFile(join(disk, "fill"), Buffer.alloc(2 ** 20)).catch(() => undefined); // the rest of the disk
  const bin = join(import.meta.dirname, "../../bin/slipway.js");
  for (const name of ["XDG_CACHE_HOME", "TMPDIR"]) {
    const child = spawn(process.execPath, [bin, "pack", "p", "--base", "store:pybase"], {
      cwd: line.root,
      env: { ...line.env, [name]: disk },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { exitCode, stderr } = await untilEnd(child);
    assert.equal(exitCode, 8, stderr);
    assert.match(stderr, /error DISK_FULL: .*disk/, name);
  }
});
