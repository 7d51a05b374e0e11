import assert from "node:assert/strict";
import { test } from "node:test";
import { distributionOf, findImports, findOldTensorFlow, isStandardModule } from "./index.ts";

test("imports are found with their lines, joined ones too", () => {
  const source =
    "import os, numpy as np\nfrom a.b import (\n  c,\n  d as e,\n)\nfrom . import local\nimport x; import y\n";
  assert.deepEqual(
    findImports(source).map(({ module, names, line }) => [module, names, line]),
    [
      ["os", [], 1],
      ["numpy", [], 1],
      ["a.b", ["c", "d"], 2],
      [".", ["local"], 6],
      ["x", [], 7],
      ["y", [], 7],
    ],
  );
});

test("an import counts as certain where nothing is around it", () => {
  const source =
    "try:\n  import a\nexcept ImportError:\n  a = None\ndef f():\n  import b\nif True:\n  import c\nimport d\nclass K:\n  x = 1\nimport e\n";
  assert.deepEqual(
    findImports(source).map(({ module, isCertain }) => [module, isCertain]),
    [
      ["a", false],
      ["b", false],
      ["c", false],
      ["d", true],
      ["e", true],
    ],
  );
});

test("imports in texts and comments are none", () =>
  assert.deepEqual(findImports('"""\nimport a\n"""\n# import b\nx = "import c"\n'), []));

test("the standard library is known by the version of Python", () => {
  assert.ok(isStandardModule("json", "3.8"));
  assert.ok(isStandardModule("imp", "3.11"));
  assert.ok(!isStandardModule("imp", "3.12"));
  assert.ok(!isStandardModule("tomllib", "3.10"));
  assert.ok(!isStandardModule("numpy", "3.12"));
});

test("a module's package is named as an index calls it", () => {
  assert.equal(distributionOf("sklearn.svm"), "scikit-learn");
  assert.equal(distributionOf("numpy"), "numpy");
  assert.equal(distributionOf("toString"), "toString");
});

test("TensorFlow 1 is seen by its names, through the alias of the import", () => {
  assert.deepEqual(
    findOldTensorFlow("import tensorflow as tf\nsess = tf.Session()\n# tf.placeholder\n"),
    [{ line: 2, name: "tf.Session" }],
  );
  assert.deepEqual(findOldTensorFlow("import tensorflow\nx = tensorflow.placeholder('float')\n"), [
    { line: 2, name: "tensorflow.placeholder" },
  ]);
  assert.equal(
    findOldTensorFlow("import tensorflow as tf\nfrom tensorflow.contrib import slim\n").length,
    1,
  );
});

test("code for TensorFlow 2 is no code for TensorFlow 1", () => {
  for (const source of [
    "import tensorflow.compat.v1 as tf\ntf.Session()\n",
    "import tensorflow as tf\ntf.compat.v1.Session()\nm = tf.keras.layers.Dense(1)\n",
    "import tensorflow as tf\nm = tf.saved_model.load('x')\ntf.random.uniform([1])\n",
    "import torch as tf\ntf.Session()\n",
  ])
    assert.deepEqual(findOldTensorFlow(source), [], source);
});
