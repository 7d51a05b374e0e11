import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createTempDir } from "../../ground/process/index.ts";
import type { PythonRequest } from "./contracts.ts";
import { readRequirements, type Requirements } from "./requirements.ts";

async function project(
  t: TestContext,
  files: Readonly<Record<string, string>>,
): Promise<(more?: Partial<PythonRequest>) => Requirements> {
  const folder = await createTempDir("slipway-test");
  t.after(() => folder[Symbol.asyncDispose]());
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder.path, name, ".."), { recursive: true });
    await writeFile(join(folder.path, name), text);
  }
  const target = {
    pythonVersion: "3.11",
    platform: { os: "linux", architecture: "amd64" },
    libc: { kind: "glibc", version: "2.36" },
  } as const;
  return (more) =>
    readRequirements({ root: folder.path, files: ["requirements.txt"], target, ...more });
}

test("comments, blank lines and the order of requirements do not change what is wanted", async (t) => {
  const one = await project(t, { "requirements.txt": "numpy==2.0\nscipy\n" });
  const other = await project(t, { "requirements.txt": "# ours\n\nscipy   # any\r\nnumpy==2.0" });
  assert.equal(one().digest, other().digest);
});

test("another requirement, an included file or a constraint does change it", async (t) => {
  const digests = await Promise.all(
    [
      { "requirements.txt": "numpy\n" },
      { "requirements.txt": "numpy>2\n" },
      { "requirements.txt": "numpy\n-r more.txt\n", "more.txt": "scipy\n" },
      { "requirements.txt": "numpy\n-r more.txt\n", "more.txt": "scipy>1\n" },
      { "requirements.txt": "numpy\n-c more.txt\n", "more.txt": "scipy>1\n" },
    ].map(async (files) => (await project(t, files))().digest),
  );
  assert.equal(new Set(digests).size, digests.length);
});

test("a local wheel that is built again is another requirement", async (t) => {
  const read = await project(t, {
    "requirements.txt": "./own-1.0-py3-none-any.whl\n--find-links wheels\n",
    "own-1.0-py3-none-any.whl": "a",
    "wheels/x-1-py3-none-any.whl": "b",
  });
  const before = read();
  await writeFile(
    join(before.indexLines[0]?.replace("--find-links ", "") ?? "", "x-1-py3-none-any.whl"),
    "longer",
  );
  const after = read();
  assert.notEqual(before.digest, after.digest);
});

test("lines that say where packages come from are kept for installation, with absolute folders", async (t) => {
  const read = await project(t, {
    "requirements.txt":
      "--extra-index-url https://u:p@host/simple\n-i https://index.test/simple\n--find-links ./wheels\n--no-index\nx\n",
    "wheels/x-1-py3-none-any.whl": "",
  });
  const lines = read().indexLines;
  assert.equal(lines.length, 4);
  assert.match(lines[2] ?? "", /^--find-links \/.*\/wheels$/);
});

test("credentials in an index URL do not decide what is wanted", async (t) => {
  const one = await project(t, {
    "requirements.txt": "--extra-index-url https://u:one@host/simple\nx\n",
  });
  const other = await project(t, {
    "requirements.txt": "--extra-index-url https://u:two@host/simple\nx\n",
  });
  assert.equal(one().digest, other().digest);
});

test("files that include each other are read once", async (t) => {
  const read = await project(t, {
    "requirements.txt": "a\n-r other.txt\n",
    "other.txt": "b\n-r requirements.txt\n",
  });
  assert.equal(read().isEmpty, false);
});

test("a file of comments asks for nothing", async (t) => {
  const read = await project(t, { "requirements.txt": "# later\n\n--no-index\n" });
  assert.equal(read().isEmpty, true);
});

test("lines may go on after a backslash", async (t) => {
  const read = await project(t, { "requirements.txt": "numpy==2.0 \\\n    --hash=sha256:00\n" });
  const other = await project(t, { "requirements.txt": "numpy==2.0     --hash=sha256:00\n" });
  assert.equal(read().digest, other().digest);
});

test("an editable requirement is refused with its line and a way out", async (t) => {
  const read = await project(t, { "requirements.txt": "numpy\n-e .\n" });
  assert.throws(() => read(), { code: "REQUIREMENT_WITHOUT_WHEEL", line: 2, hint: /pip wheel/ });
});

test("a file that is missing is named", async (t) => {
  const read = await project(t, { "requirements.txt": "-r gone.txt\n" });
  assert.throws(() => read(), {
    code: "REQUIREMENTS_INVALID",
    message: /gone\.txt": no such file/,
  });
});

test("a folder in place of a file is refused", async (t) => {
  const read = await project(t, { "requirements.txt/x": "" });
  assert.throws(() => read(), { code: "REQUIREMENTS_INVALID", message: /it is not a file/ });
});

test("a folder of wheels that is not there is named", async (t) => {
  const read = await project(t, { "requirements.txt": "one\n" });
  assert.throws(
    () => read({ indexes: { findLinks: ["missing"] } }),
    /look for wheels in ".*\/missing": there is no such folder/,
  );
  assert.doesNotThrow(() => read({ indexes: { findLinks: ["https://wheels.example.com/"] } }));
});
