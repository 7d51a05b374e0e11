import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import type { ModelFile } from "./contracts.ts";
import { detectModel, type DetectedModel } from "./detect.ts";
import { findPythonClasses } from "../python-source/index.ts";

const ONNX = readFileSync(resolve(import.meta.dirname, "../../../test/fixtures/onnx/digits.onnx"));
const BAYES = readFileSync(
  resolve(import.meta.dirname, "../../../test/fixtures/pickles/bayes.joblib"),
);
const DICT = readFileSync(resolve(import.meta.dirname, "../../../test/fixtures/pickles/tuple.pkl"));
const CLASS = (name: string): string =>
  `class ${name}:\n    def predict(self, X, names=None):\n        return X\n`;

interface Wishes {
  readonly model?: string;
  readonly code?: string;
}

async function detect(
  t: TestContext,
  contents: Readonly<Record<string, string | Uint8Array>>,
  wishes: Wishes = {},
): Promise<DetectedModel> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-detect-"));
  t.after(() => rm(folder, { recursive: true }));
  const files: ModelFile[] = [];
  for (const [path, content] of Object.entries(contents)) {
    const location = join(folder, path);
    await mkdir(join(location, ".."), { recursive: true });
    await writeFile(location, content);
    files.push({ path, location, size: Buffer.byteLength(content) });
  }
  return detectModel({ folder: "project", files, ...wishes });
}

const FOUND: readonly {
  readonly what: string;
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly wishes?: Wishes;
  readonly label: string;
  readonly modelPath?: string;
}[] = [
  {
    what: "one ONNX file",
    files: { "m/model.onnx": ONNX, "README.md": "x" },
    label: 'ONNX model "m/model.onnx"',
    modelPath: "m/model.onnx",
  },
  {
    what: "one joblib file",
    files: { "model.joblib": BAYES, "notes.pkl": DICT },
    label: 'GaussianNB of scikit-learn in "model.joblib"',
    modelPath: "model.joblib",
  },
  {
    what: "a class called like its file, beside model files that it loads itself",
    files: { "Iris.py": CLASS("Iris"), "model.joblib": BAYES, "other.onnx": ONNX },
    label: 'Python class "Iris" in "Iris.py"',
  },
  {
    what: "a class called otherwise, when there is nothing else",
    files: { "serve.py": CLASS("Iris") },
    label: 'Python class "Iris" in "serve.py"',
  },
  {
    what: "the model rather than a class called otherwise",
    files: { "train.py": CLASS("Trainer"), "model.onnx": ONNX },
    label: 'ONNX model "model.onnx"',
    modelPath: "model.onnx",
  },
  {
    what: "the file that model: names",
    files: { "a.onnx": ONNX, "b.onnx": ONNX },
    wishes: { model: "b.onnx" },
    label: 'ONNX model "b.onnx"',
    modelPath: "b.onnx",
  },
  {
    what: "the only model in the folder that model: names",
    files: { "a/m.onnx": ONNX, "b/m.onnx": ONNX },
    wishes: { model: "b/" },
    label: 'ONNX model "b/m.onnx"',
    modelPath: "b/m.onnx",
  },
  {
    what: "the class that code: names",
    files: { "a.py": CLASS("A") + CLASS("B"), "model.onnx": ONNX },
    wishes: { code: "a.py:B" },
    label: 'class "B" in "a.py"',
  },
  {
    what: "the only class of the file that code: names",
    files: { "a.py": CLASS("A"), "b.py": CLASS("B") },
    wishes: { code: "./b.py" },
    label: 'class "B" in "b.py"',
  },
  {
    what: "no class in tests",
    files: { "test_model.py": CLASS("Fake"), "model.py": CLASS("Real") },
    label: 'Python class "Real" in "model.py"',
  },
];

for (const { what, files, wishes, label, modelPath } of FOUND) {
  test(`found: ${what}`, async (t) => {
    const { chosen } = await detect(t, files, wishes);
    assert.equal(chosen.label, label);
    if (modelPath !== undefined) assert.equal(chosen.modelPath, modelPath);
  });
}

const NOT_FOUND: readonly {
  readonly what: string;
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly wishes?: Wishes;
  readonly message: RegExp;
  readonly hint: RegExp;
}[] = [
  {
    what: "an empty folder",
    files: {},
    message: /find the model in "project": it is empty/,
    hint: /add the model/,
  },
  {
    what: "a folder of something else",
    files: { "a.txt": "x", "b.pkl": DICT },
    message:
      /no model of a kind that is known and no class with predict among its 2 files \("a\.txt", "b\.pkl"\)/,
    hint: /code: File\.py:Class/,
  },
  {
    what: "two models",
    files: { "a.onnx": ONNX, "b.joblib": BAYES },
    message:
      /found 2 that could be it: ONNX model "a\.onnx", GaussianNB of scikit-learn in "b\.joblib"/,
    hint: /`model: a\.onnx` or `model: b\.joblib`/,
  },
  {
    what: "two certain classes",
    files: { "A.py": CLASS("A"), "B.py": CLASS("B") },
    message: /found 2 that could be it: Python class "A" in "A\.py", Python class "B" in "B\.py"/,
    hint: /`code: A\.py:A` or `code: B\.py:B`/,
  },
  {
    what: "a slip in model:",
    files: { "model.onnx": ONNX },
    wishes: { model: "modle.onnx" },
    message: /there is no file or folder "modle\.onnx", which model: names/,
    hint: /did you mean "model\.onnx"\?/,
  },
  {
    what: "a model: that is none",
    files: { "b.pkl": DICT },
    wishes: { model: "b.pkl" },
    message: /"b\.pkl", which model: names, is no model of a kind that is known/,
    hint: /code: File\.py:Class/,
  },
  {
    what: "a slip in the file of code:",
    files: { "Iris.py": CLASS("Iris") },
    wishes: { code: "Irsi.py:Iris" },
    message: /there is no file "Irsi\.py", which code: names/,
    hint: /did you mean "Iris\.py"\?/,
  },
  {
    what: "a slip in the class of code:",
    files: { "Iris.py": CLASS("Iris") },
    wishes: { code: "Iris.py:Irsi" },
    message: /"Iris\.py" has no class "Irsi"/,
    hint: /did you mean "Iris"\?/,
  },
  {
    what: "code: with several classes",
    files: { "m.py": CLASS("A") + CLASS("B") },
    wishes: { code: "m.py" },
    message: /"m\.py" has the classes A, B/,
    hint: /code: m\.py:A/,
  },
];

for (const { what, files, wishes, message, hint } of NOT_FOUND) {
  test(`not found, and what to do is said: ${what}`, async (t) => {
    await assert.rejects(detect(t, files, wishes), { code: "MODEL_NOT_DETECTED", message, hint });
  });
}

test("classes are found by reading: strings, comments, brackets and decorators do not mislead", () => {
  const source = `
"""
class InDocstring:
    def predict(self): ...
"""
import os  # class InComment: pass
@decorator(
    argument)
class Real(Base,
           Other):  # the real one
    '''class Inner:
    pass'''
    name: str = "x"
    async def predict(
        self, X): return X
    def helper(self):
        class Nested: pass
        def not_a_member(self): ...
    value = 3
if True:
    class Conditional: pass
class Empty: pass
class \u00dcmlaut(object):
\tdef predict(self, X):
\t\treturn X
`;
  assert.deepEqual(findPythonClasses(source), [
    {
      name: "Real",
      members: ["name", "predict", "helper", "value"],
      bases: "Base,            Other",
    },
    { name: "Empty", members: [], bases: "" },
    { name: "\u00dcmlaut", members: ["predict"], bases: "object" },
  ]);
});
