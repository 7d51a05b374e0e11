import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { putFakeBase } from "../support/fake-base.ts";
import { packPlace, untilEnd, writeFiles } from "../support/pack-place.ts";
import { startRegistry } from "../support/registry-fixture.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const GUIDE = join(ROOT, "docs/guide/embedding.md");

async function readProgram(): Promise<string> {
  const [, program = ""] = /```ts\n([^]*?)```/.exec(await readFile(GUIDE, "utf8")) ?? [];
  return program;
}

test("slipway/app is what the guide's program imports, and the program has no more than 20 lines", async () => {
  const { exports } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    readonly exports: Readonly<Record<string, unknown>>;
  };
  assert.deepEqual(exports["./app"], {
    types: "./dist/app/index.d.ts",
    default: "./dist/app/index.js",
  });
  const lines = (await readProgram()).split("\n").filter((line) => line.trim() !== "");
  assert.match(lines[0] ?? "", /import \{ createSession, pack, push \} from "slipway\/app";/);
  assert.ok(lines.length <= 20, `${lines.length} lines`);
});

test("the guide's program packs a folder, tells how far it is, and pushes", async (t) => {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "pybase");
  await using registry = await startRegistry();
  const folder = join(cli.root, "model");
  await writeFiles(folder, {
    "Model.py": "class Model:\n    def predict(self, X, names=None):\n        return X\n",
    "weights.bin": Buffer.alloc(9 * 2 ** 20, 7),
  });
  const program = join(cli.root, "program.ts");
  const app = join(ROOT, "src/app/index.ts");
  await writeFile(program, (await readProgram()).replace('"slipway/app"', JSON.stringify(app)));
  const name = `${registry.server.host}:${registry.server.port}/team/model:1`;
  const ran = await untilEnd(
    spawn(process.execPath, [program, folder, "store:pybase", name], {
      cwd: cli.root,
      env: cli.env,
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  assert.equal(ran.exitCode, 0, ran.stderr);
  const [, packed = ""] = /packed linux\/amd64 (sha256:\S+), \d+ layers/.exec(ran.stdout) ?? [];
  const [, pushed = ""] = /pushed \S+@(sha256:\S+)/.exec(ran.stdout) ?? [];
  assert.notEqual(packed, "");
  assert.equal(pushed, packed);
  assert.match(ran.stderr, /\d+ %/);
  const { exitCode, stdout } = await cli.slipway("ls", name.replace(/:1$/, ""));
  assert.equal(exitCode, 0);
  assert.equal(stdout.trim(), "1");
});
