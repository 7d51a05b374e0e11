import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { detectModel } from "./detect.ts";
import { findJavascriptClasses } from "./javascript-source.ts";

test("classes and prototypes are found with their methods", () => {
  const source = `
    // class Commented { predict() {} }
    const text = "class Quoted { predict() {} }", other = \`class Template { predict() {} }\`;
    export default class Model extends Base<string> {
      #factor = 1;
      constructor({ factor = 1 } = {}) { super(); if (factor) { this.route(); } }
      async predict(X: number[][], names?: string[]): Promise<unknown> { return helper(X); }
      static make() {}
      transformInput = (X) => X;
      classNames<T>() { return ["}"]; }
    }
    export const Anonymous = class { route() { return 1; } };
    const Old = function () {};
    Old.prototype.predict = function (X) {};
    Old.prototype.init = async function () {};
  `;
  assert.deepEqual(findJavascriptClasses(source), [
    { name: "Model", members: ["predict", "make", "classNames"] },
    { members: ["route"] },
    { name: "Old", members: ["predict", "init"] },
  ]);
  assert.deepEqual(findJavascriptClasses("class"), []);
  assert.deepEqual(findJavascriptClasses("class Broken { predict("), [
    { name: "Broken", members: ["predict"] },
  ]);
});

test("a folder with a class called like its file is detected", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-js-class-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const sources = {
    "MyModel.ts": "export class MyModel { predict(X: number[][]) { return X; } }\n",
    "helper.js": "export class Helper { predict() {} }\n",
    "MyModel.test.ts": "class MyModel { predict() {} }\n",
    "types.d.ts": "declare class MyModel { predict(): void }\n",
  };
  const files = await Promise.all(
    Object.entries(sources).map(async ([path, text]) => {
      await writeFile(join(folder, path), text);
      return { path, location: join(folder, path), size: text.length };
    }),
  );
  const { chosen, candidates } = await detectModel({ folder, files });
  assert.deepEqual(chosen, {
    kind: "class",
    code: { file: "MyModel.ts", name: "MyModel", language: "javascript" },
    isCertain: true,
    label: 'JavaScript class "MyModel" in "MyModel.ts"',
  });
  assert.deepEqual(
    candidates.map(({ label }) => label),
    ['JavaScript class "MyModel" in "MyModel.ts"', 'JavaScript class "Helper" in "helper.js"'],
  );
});
