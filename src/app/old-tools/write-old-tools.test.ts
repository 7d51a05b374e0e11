import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createTempDir } from "../../ground/process/index.ts";
import { createSession } from "../session.ts";
import { writeOldTools } from "./write-old-tools.ts";

const ECHO = "console.log(JSON.stringify(process.argv.slice(2)));\n";

async function folderWithTools(t: TestContext): Promise<string> {
  const folder = await createTempDir("slipway-old");
  t.after(() => folder[Symbol.asyncDispose]());
  await writeFile(join(folder.path, "echo.js"), ECHO);
  const command = [process.execPath, join(folder.path, "echo.js")];
  await writeOldTools({ folder: ".", command }, createSession({ cwd: folder.path }));
  return folder.path;
}

const HANDED: readonly (readonly [words: readonly string[], given: readonly string[]])[] = [
  [
    ["uai_tool.py", "packdocker", "tf", "--model_dir", "a b"],
    ["packdocker", "tf", "--model_dir", "a b"],
  ],
  [
    ["pytorch_tool.py", "pack", "--train_params", ""],
    ["pytorch", "pack", "--train_params", ""],
  ],
  [
    ["base_tool.py", "pack"],
    ["self", "pack"],
  ],
];

for (const [words, given] of HANDED)
  test(`python ${words.join(" ")} hands over with its words`, async (t) => {
    const cwd = await folderWithTools(t);
    const answer = execFileSync("python3", words, { cwd, encoding: "utf8" });
    assert.deepEqual(JSON.parse(answer), given);
  });

const ANSWERED: readonly (readonly [words: readonly string[], says: RegExp])[] = [
  [["uai_tool.py", "deploydocker", "--x", "1"], /^uai_tool deploydocker: .*`slipway manifest`/],
  [["uai_tool.py", "tar", "caffe"], /packdocker/],
  [["uai_tool.py", "listservice"], /console/],
  [["uai_tool.py"], /write `uai_tool\.py packdocker FLAGS`/],
  [["tf_tool.py", "create"], /`slipway train manifest`/],
  [["tf_tool.py", "url"], /tensorboard/],
  [["tf_tool.py", "nonsense"], /write `tf_tool\.py pack FLAGS`/],
];

for (const [words, says] of ANSWERED)
  test(`python ${words.join(" ")} says what to do`, async (t) => {
    const cwd = await folderWithTools(t);
    const { status, stderr } = spawnSync("python3", words, { cwd, encoding: "utf8" });
    assert.equal(status, 2);
    assert.match(stderr, says);
  });

test("files that are there are left alone, unless they may be replaced", async (t) => {
  const cwd = await folderWithTools(t);
  await writeFile(join(cwd, "tf_tool.py"), "# mine\n");
  const session = createSession({ cwd });
  await assert.rejects(writeOldTools({ folder: "." }, session), { code: "USAGE" });
  assert.equal(await readFile(join(cwd, "tf_tool.py"), "utf8"), "# mine\n");
  await writeOldTools({ folder: ".", isForced: true }, session);
  assert.match(await readFile(join(cwd, "tf_tool.py"), "utf8"), /^COMMAND = \["slipway"\]$/m);
  assert.equal((await readdir(cwd)).length, 8);
});

test("the file is plain ASCII, which Python 2 takes", async (t) => {
  const cwd = await folderWithTools(t);
  const text = await readFile(join(cwd, "uai_tool.py"), "utf8");
  assert.equal(Buffer.byteLength(text), text.length);
});
