import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { putFakeBase } from "../support/fake-base.ts";
import { packPlace, writeFiles, type PackPlace } from "../support/pack-place.ts";
import { requireUv } from "../support/python-env.ts";
import { writeWheel } from "../support/wheels.ts";

const CODE = `import json
import acme
import deep_tools
import inbase
import nowhere
from helper import x

class Model:
    def predict(self, X, names=None):
        return X
`;
const LOCK = `version = 1
[[package]]
name = "acme-tools"
version = "1.0"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "deep-tools" }]
[[package]]
name = "deep-tools"
version = "1.0"
source = { registry = "https://pypi.org/simple" }
[[package]]
name = "demo"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "acme-tools" }]
[package.dev-dependencies]
dev = [{ name = "not-to-be-had" }]
[[package]]
name = "not-to-be-had"
version = "9"
source = { registry = "https://pypi.org/simple" }
`;

/** A folder whose packages stand in uv.lock alone, and a base of one's own with one module. */
async function place(t: TestContext): Promise<PackPlace | undefined> {
  const uv = await requireUv(t);
  if (uv === undefined) return undefined;
  const cli = await packPlace(t);
  cli.env["PATH"] = `${dirname(uv)}:${cli.env["PATH"] ?? ""}`;
  cli.env["UV_NO_INDEX"] = "1";
  await putFakeBase(cli.store, "mine", {
    files: ["usr/lib/python3/dist-packages/inbase/__init__.py"],
    packages: ["python3-inbase"],
  });
  await writeFiles(join(cli.root, "demo"), {
    "model.py": CODE,
    "helper.py": "import nothing_either\nx = 1\n",
    "uv.lock": LOCK,
  });
  const wheels = join(cli.root, "wheels");
  await writeWheel(wheels, { name: "acme-tools", files: { "acme/__init__.py": "" } });
  await writeWheel(wheels, { name: "deep-tools" });
  return cli;
}

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  pack: [..."pack demo --code model.py:Model --base store:mine --find-links wheels".split(" ")],
  "train pack": [
    ..."train pack --framework self --self_img store:mine --uhub_registry me --uhub_imagename demo".split(
      " ",
    ),
    ..."--code_path demo --mainfile_path model.py --test_data_path /d --test_output_path /o".split(
      " ",
    ),
    ..."--no-push --find-links wheels".split(" "),
  ],
};

for (const [name, words] of Object.entries(COMMANDS))
  test(`${name}: packages of uv.lock go in, and imports that nothing brings are named by line`, async (t) => {
    const cli = await place(t);
    if (cli === undefined) return;
    const { exitCode, stderr } = await cli.slipway(...words);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /taking the Python packages that uv\.lock declares/);
    assert.match(stderr, /model\.py:5: nothing brings the module nowhere; add nowhere to/);
    assert.match(stderr, /helper\.py:1: nothing brings the module nothing_either/);
    for (const brought of ["acme", "deep_tools", "inbase", "json", "helper"])
      assert.doesNotMatch(stderr, new RegExp(`nothing brings the module ${brought}\\b`));
    assert.equal(stderr.match(/nothing brings the module nowhere/g)?.length, 1);
  });

test("a folder's environment.yml is named, since nobody reads it", async (t) => {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "mine");
  await writeFiles(join(cli.root, "demo"), {
    "model.py": "class Model:\n    def predict(self, X, names=None):\n        return X\n",
    "environment.yml": "dependencies: [numpy]\n",
  });
  const words = "pack demo --code model.py:Model --base store:mine".split(" ");
  const { exitCode, stderr } = await cli.slipway(...words);
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /warning: environment\.yml may name Python packages and is not read/);
});
