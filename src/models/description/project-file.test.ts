import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { NO_PROJECT_FILES, PROJECT_FILES } from "../../../test/support/project-files.ts";
import { parseProjectFile } from "./parse-project-file.ts";
import { printProjectFile } from "./print-project-file.ts";
import { PROJECT_SCHEMA } from "./project-schema.ts";

const PUBLISHED = resolve(import.meta.dirname, "../../../schema/slipway.schema.json");

for (const { what, text, refused } of [...PROJECT_FILES, ...NO_PROJECT_FILES]) {
  test(`a project file with ${what} is ${refused === undefined ? "read" : "refused, and says where and what"}`, async () => {
    if (refused === undefined) assert.equal(typeof (await parseProjectFile(text)), "object");
    else
      await assert.rejects(parseProjectFile(text), {
        name: "ProjectError",
        code: "PROJECT_INVALID",
        message: refused,
      });
  });
}

test("a slip of the pen is corrected, and a number where a text belongs wants quotes", async () => {
  await assert.rejects(parseProjectFile("platfroms: [linux/amd64]"), {
    hint: 'did you mean "platforms"?',
  });
  await assert.rejects(parseProjectFile("python: { version: 3.11 }"), {
    hint: "write it in quotes",
  });
});

test("one requirements file and a list of one are the same", async () => {
  const [text, list] = await Promise.all([
    parseProjectFile("python: { requirements: a.txt }"),
    parseProjectFile("python: { requirements: [a.txt] }"),
  ]);
  assert.deepEqual(text, list);
});

test("what is printed is read back, and tells editors where its schema is", async () => {
  const project = {
    name: "iris",
    model: "model.onnx",
    service: "MODEL",
    contract: "seldon",
    platforms: ["linux/amd64"],
    env: { A: "1", B: "yes", C: "" },
  } as const;
  const text = await printProjectFile(project);
  assert.match(text, /^# yaml-language-server: \$schema=\S+slipway\.schema\.json\n/);
  assert.deepEqual(await parseProjectFile(text), project);
});

test("the published schema is the one that is checked", () => {
  const text = `${JSON.stringify(PROJECT_SCHEMA, undefined, 2)}\n`;
  if (process.env["SLIPWAY_UPDATE_GOLDEN"] === "1") writeFileSync(PUBLISHED, text);
  assert.equal(
    readFileSync(PUBLISHED, "utf8"),
    text,
    "run this test once with SLIPWAY_UPDATE_GOLDEN=1",
  );
});
