import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { PROJECT_FILES } from "../support/project-files.ts";
import { pythonEnv } from "../support/python-env.ts";

const SCHEMA = resolve(import.meta.dirname, "../../schema/slipway.schema.json");
const CHECK = `
import json, sys, yaml
from jsonschema import Draft202012Validator
schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
print(json.dumps([validator.is_valid(yaml.safe_load(text) or {}) for text in json.load(open(sys.argv[2]))]))
`;

test("the published schema is one that editors understand, and it takes and refuses what the parser does", async (t) => {
  const environment = await pythonEnv(t, { packages: ["jsonschema", "pyyaml"] });
  if (environment === undefined) return;
  await using folder = await createTempDir("schema");
  await writeFile(
    join(folder.path, "texts.json"),
    JSON.stringify(PROJECT_FILES.map(({ text }) => text)),
  );
  const { stdout } = await run(
    [environment.python, "-c", CHECK, SCHEMA, join(folder.path, "texts.json")],
    { signal: t.signal },
  );
  const verdicts = JSON.parse(stdout.toString()) as readonly boolean[];
  assert.equal(verdicts.length, PROJECT_FILES.length);
  // A file of comments is read as no document at all, which both take for no settings.
  assert.deepEqual(
    PROJECT_FILES.filter(({ refused }, at) => verdicts[at] !== (refused === undefined)).map(
      ({ what }) => what,
    ),
    [],
  );
});
