import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { configOf, imageFrom, parseReference } from "../../src/images/oci/index.ts";
import { putFakeBase } from "../support/fake-base.ts";
import { type PackPlace, packPlace, writeFiles } from "../support/pack-place.ts";
import { requireUv } from "../support/python-env.ts";

const OLD_CLASS = `import StringIO
from helpers import load
import unused_by_start

class MnistModel:
    def __init__(self, conf):
        print "loading %s" % conf
        self.graph = load()

    def execute(self, data, batch_size):
        try:
\t    return [str(x) for x in xrange(batch_size)]
        except ValueError, e:
            return ["0"] * batch_size
`;

const FILES = {
  "mnist_inference.py": OLD_CLASS,
  "helpers/__init__.py": "from .files import load\n",
  "helpers/files.py": "def load():\n    raise IOError, 'no file'\n",
  "unused.py": "print 'nobody imports this'\n",
  "unused_by_start.py": "x = 1\n",
  "checkpoint_dir/mnist_model.json": "{}",
  "checkpoint_dir/mnist_model.h5": "weights",
  "slipway.yaml": "code: mnist_inference.py:MnistModel\n",
};

const KERAS = [
  ..."packdocker keras --main_module mnist_inference --main_class MnistModel --model_dir checkpoint_dir".split(
    " ",
  ),
  ..."--model_name mnist_model --uhub_registry me --uhub_imagename mnist:v1 --no-push".split(" "),
];

async function place(t: TestContext): Promise<PackPlace> {
  const cli = await packPlace(t);
  await writeFiles(join(cli.root, "mnist"), FILES);
  await putFakeBase(cli.store, "mine");
  return cli;
}

const LINES = [
  "mnist_inference.py:1: Python 3 has no module StringIO; write import io",
  'mnist_inference.py:7: print is a function; write print("loading %s" % conf)',
  "mnist_inference.py:12: tabs and spaces are mixed; write spaces only",
  "mnist_inference.py:13: except names its variable behind as; write except ValueError as e:",
  "helpers/files.py:2: raise takes one exception; write raise IOError('no file')",
];

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  packdocker: [...KERAS, "--pack_file_path", "mnist"],
  "packdocker, dry": [...KERAS, "--pack_file_path", "mnist", "--dry-run"],
  "packdocker on a base of one's own": [
    ...KERAS,
    "--pack_file_path",
    "mnist",
    "--bimg_name",
    "store:mine",
  ],
  pack: ["pack", "mnist", "--base", "store:mine"],
  "train pack": [
    ..."train pack --framework tf --ai_arch_v tensorflow-2.19.0 --uhub_registry me --uhub_imagename mnist".split(
      " ",
    ),
    ..."--code_path mnist --mainfile_path mnist_inference.py --test_data_path /d --test_output_path /o --no-push".split(
      " ",
    ),
  ],
};

for (const [name, words] of Object.entries(COMMANDS))
  test(`${name}: every line that Python 3 does not run is named before anything is made`, async (t) => {
    const cli = await place(t);
    const { exitCode, stderr } = await cli.slipway(...words);
    assert.equal(exitCode, 3, stderr);
    assert.match(stderr, /^error PROJECT_INVALID: /m);
    for (const line of LINES) assert.ok(stderr.includes(line), `${line}\n${stderr}`);
    assert.match(stderr, /hint: nothing was made; .*--convert-py2/);
    assert.ok(!stderr.includes("nobody imports this"));
    assert.deepEqual((await readdir(cli.root)).sort(), ["mnist"]);
  });

test("what only fails when it runs is a warning, and so are files that nobody imports", async (t) => {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "mine");
  await writeFiles(join(cli.root, "mnist"), {
    ...FILES,
    "helpers/files.py": "def load():\n    return 1\n",
    "mnist_inference.py":
      "class MnistModel:\n    def __init__(self, conf):\n        self.x = xrange(3)\n",
  });
  const { exitCode, stderr } = await cli.slipway(
    ...KERAS,
    "--pack_file_path",
    "mnist",
    "--bimg_name",
    "store:mine",
    "--dry-run",
  );
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /mnist_inference\.py:3: there is no xrange; write range/);
  assert.match(stderr, /Python 3 does not run unused\.py, which "mnist_inference\.py" does not/);
});

test("--convert-py2 packs a converted copy and leaves the folder as it is", async (t) => {
  const uv = await requireUv(t);
  if (uv === undefined) return;
  const cli = await place(t);
  cli.env["PATH"] = `${dirname(uv)}:${cli.env["PATH"] ?? ""}`;
  const words = [...KERAS, "--bimg_name", "store:mine", "--convert-py2"];
  const { exitCode, stderr } = await cli.slipway(...words, "--pack_file_path", "./mnist/");
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /mnist-py3 is a copy of .*with 5 Python files made Python 3/);
  const converted = await readFile(join(cli.root, "mnist-py3/mnist_inference.py"), "utf8");
  assert.match(converted, /^import io$/m);
  assert.match(converted, /print\("loading %s" % conf\)/);
  assert.match(converted, /except ValueError as e:/);
  assert.ok(!converted.includes("\t"));
  assert.equal(await readFile(join(cli.root, "mnist/mnist_inference.py"), "utf8"), OLD_CLASS);
  assert.equal(
    await readFile(join(cli.root, "mnist-py3/checkpoint_dir/mnist_model.h5"), "utf8"),
    "weights",
  );
  assert.deepEqual((await readdir(cli.root)).sort(), ["mnist", "mnist-py3"]);

  const again = await cli.slipway(...words, "--pack_file_path", "mnist");
  assert.equal(again.exitCode, 2);
  assert.match(again.stderr, /is there already\n {2}hint: name that folder/);
});

test("a file that the converter cannot read leaves no copy", async (t) => {
  const uv = await requireUv(t);
  if (uv === undefined) return;
  const cli = await place(t);
  cli.env["PATH"] = `${dirname(uv)}:${cli.env["PATH"] ?? ""}`;
  await writeFiles(join(cli.root, "mnist"), { "broken.py": "def f(:\n" });
  const { exitCode, stderr } = await cli.slipway(
    "pack",
    "mnist",
    "--base",
    "store:mine",
    "--convert-py2",
  );
  assert.equal(exitCode, 3, stderr);
  assert.match(stderr, /the converter failed: .*broken\.py/);
  assert.deepEqual(await readdir(cli.root), ["mnist"]);
});

const TF_CLASS = `import tensorflow as tf

class MnistModel:
    def __init__(self, conf):
        self.sess = tf.Session()
`;
const USES_TF1 = /mnist_inference\.py:5: tf\.Session is TensorFlow 1's/;

for (const [flags, value] of [
  [[], "SLIPWAY_TF1_COMPAT=1"],
  [["--no-tf1-compat"], undefined],
] as const)
  test(`a class for TensorFlow 1 ${flags.length === 0 ? "gets its API, and that is said" : "is left alone with --no-tf1-compat"}`, async (t) => {
    const cli = await packPlace(t);
    await putFakeBase(cli.store, "mine");
    await writeFiles(join(cli.root, "mnist"), { ...FILES, "mnist_inference.py": TF_CLASS });
    const words = [...KERAS, "--bimg_name", "store:mine", "--pack_file_path", "mnist", ...flags];
    const { exitCode, stderr } = await cli.slipway(...words);
    assert.equal(exitCode, 0, stderr);
    assert.equal(USES_TF1.test(stderr), value !== undefined, stderr);
    const image = await cli.store.resolve(parseReference("uhub.ucloud.cn/me/mnist:v1"));
    const { config } = await configOf(imageFrom(cli.store, image));
    const found = config?.Env?.find((entry) => entry.startsWith("SLIPWAY_TF1_COMPAT"));
    assert.equal(found, value);
  });

test("a Seldon class for TensorFlow 1 is warned of", async (t) => {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "mine");
  await writeFiles(join(cli.root, "mnist"), { ...FILES, "mnist_inference.py": TF_CLASS });
  const { stderr } = await cli.slipway("pack", "mnist", "--base", "store:mine", "--dry-run");
  assert.match(stderr, USES_TF1);
});
