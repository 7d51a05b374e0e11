import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTempDir } from "../../ground/process/index.ts";
import { readDeclaredPackages, type DeclaredPackages } from "./declared.ts";

async function declared(files: Readonly<Record<string, string>>): Promise<DeclaredPackages> {
  await using folder = await createTempDir("slipway-declared");
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
  return await readDeclaredPackages(folder.path);
}

test("dependencies of pyproject.toml are requirements", async () => {
  const text =
    '[project]\nname = "x"\ndependencies = ["numpy>=2", "six==1.17.0; python_version > \'3\'"]\n';
  assert.deepEqual(await declared({ "pyproject.toml": text, "uv.lock": "" }), {
    lines: ["numpy>=2", "six==1.17.0; python_version > '3'"],
    unread: [],
  });
});

test("files that nobody reads are named", async () => {
  assert.deepEqual(
    await declared({ "pyproject.toml": "[tool.x]\n", "poetry.lock": "", "Pipfile.lock": "{}" }),
    {
      lines: [],
      unread: ["poetry.lock", "Pipfile.lock"],
    },
  );
  assert.deepEqual(await declared({}), { lines: [], unread: [] });
});

test("a pyproject.toml that cannot be understood is refused", async () => {
  for (const text of [
    "[project",
    '[project]\ndependencies = "numpy"\n',
    "[project]\ndependencies = [1]\n",
    '[project]\ndependencies = ["--index-url https://evil.test"]\n',
    `# ${"x".repeat(2 ** 20)}`,
  ])
    await assert.rejects(declared({ "pyproject.toml": text }), { code: "REQUIREMENTS_INVALID" });
});
