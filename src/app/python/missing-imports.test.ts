import assert from "node:assert/strict";
import { test } from "node:test";
import { findImports } from "../../models/python-source/index.ts";
import { missingImports } from "./missing-imports.ts";
import type { PythonSource } from "./python-sources.ts";

function missing(
  files: Readonly<Record<string, string>>,
  requirements: readonly string[],
  python = "3.12",
): readonly string[] {
  const sources = Object.entries(files).map(([path, text]): PythonSource => ({
    path,
    text,
    imports: findImports(text),
  }));
  return missingImports("main.py", sources, { requirements, python });
}

test("an import that nothing brings is named with its line and its package", () => {
  const files = {
    "main.py": "import numpy as np\nimport helper\nfrom uai.arch.tf_model import TFAiUcloudModel\n",
    "helper.py": "import os\nfrom skimage import io\nimport imp\n",
    "other.py": "import nobody_imports_this\n",
  };
  assert.deepEqual(missing(files, ["pillow"]), [
    "main.py:1: nothing brings the module numpy; add numpy to requirements.txt",
    "helper.py:2: nothing brings the module skimage; add scikit-image to requirements.txt",
    "helper.py:3: Python 3.12 has no module imp any more",
  ]);
});

test("what packages, Python, the folder and the tool bring is there", () => {
  const main =
    "import numpy, json, PIL, cv2, caffe, h5py, keras\nimport tensorflow as tf\nfrom pkg.part import x\nimport sklearn.svm\nimport yaml\n";
  const files = { "main.py": main, "pkg/__init__.py": "", "pkg/part.py": "x = 1\n" };
  const lines = [
    "tensorflow-cpu==2.21.0",
    "Pillow",
    "opencv-python-headless<5",
    "scikit_learn",
    "PyYAML>=6",
  ];
  assert.deepEqual(missing(files, lines), []);
});

test("nothing is said where it is not sure: unknown packages, a changed path, imports that something catches", () => {
  assert.deepEqual(missing({ "main.py": "import x\n" }, ["acme-tools"]), []);
  assert.deepEqual(missing({ "main.py": "import x\n" }, ["-r more.txt"]), []);
  assert.deepEqual(
    missing({ "main.py": "import sys\nsys.path.append('lib')\nimport x\n" }, []),
    [],
  );
  assert.deepEqual(
    missing({ "main.py": "try:\n  import x\nexcept ImportError:\n  x = None\n" }, []),
    [],
  );
});
