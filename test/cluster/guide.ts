import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import type { Cluster } from "../support/cluster.ts";
import { type PackPlace } from "../support/pack-place.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const GUIDE = join(ROOT, "docs/guide/kubernetes.md");

/** The guide's commands in order: the blocks that are marked as `sh`. */
export async function guideCommands(file: string = GUIDE): Promise<readonly string[]> {
  const text = await readFile(file, "utf8");
  return [...text.matchAll(/^ *```sh\n([\s\S]*?)\n *```$/gm)].map(([, block = ""]) => block.trim());
}

/** Runs them as they stand, one shell each, in the folder of a new user. */
export async function runGuide(
  t: TestContext,
  { cluster, user, registry }: { cluster: Cluster; user: PackPlace; registry: string },
): Promise<void> {
  const text = await readFile(GUIDE, "utf8");
  const [, file = "", code = ""] = /```python\n# (\S+)\n([\s\S]*?)```/.exec(text) ?? [];
  await mkdir(join(user.root, dirname(file)), { recursive: true });
  await writeFile(join(user.root, file), code);
  const bin = join(user.root, "bin");
  await mkdir(bin, { recursive: true });
  await writeFile(
    join(bin, "slipway"),
    `#!/bin/sh\nexec "${process.execPath}" "${ROOT}/bin/slipway.js" "$@"\n`,
  );
  await chmod(join(bin, "slipway"), 0o755);
  const env = {
    ...user.env,
    ...cluster.env,
    PATH: [bin, cluster.env["PATH"] ?? ""].join(delimiter),
    REGISTRY: registry,
  };
  const commands = await guideCommands();
  assert.equal(commands.length, 10);
  const outputs: string[] = [];
  for (const command of commands) {
    const start = performance.now();
    const { exitCode, stdout, stderrTail } = await run(
      ["bash", "-euo", "pipefail", "-c", command],
      { cwd: user.root, env, allowFailure: true, signal: t.signal },
    );
    assert.equal(exitCode, 0, `${command}: ${stderrTail}`);
    outputs.push(stdout.toString("utf8"));
    t.diagnostic(`${((performance.now() - start) / 1000).toFixed(1)} s: ${command.slice(0, 60)}`);
  }
  assert.match(outputs[4] ?? "", /^kind: PodDisruptionBudget$/m);
  assert.match(outputs[7] ?? "", /\[\[2(?:\.0)?,4(?:\.0)?\]\]/);
  assert.match(outputs[8] ?? "", /^\+ +cpu: 200m$/m);
  await cluster.kubectl(["delete", "namespace", "models", "--wait=false"]);
}
