import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import {
  chooseRow,
  flagsOfRow,
  mergeCatalogues,
  namesIn,
  OWN_CATALOGUE_PATH,
  ownCatalogue,
  parseCatalogue,
  type CatalogueRow,
  type WantedRow,
} from "./index.ts";
import { CATALOGUE_SCHEMA } from "./schema.ts";

const PUBLISHED = resolve(import.meta.dirname, "../../../schema/catalogue.schema.json");
const OURS = await ownCatalogue();

function found(wanted: WantedRow, catalogue = OURS): CatalogueRow {
  const choice = chooseRow(catalogue, wanted);
  assert.equal(choice.kind, "found", JSON.stringify(wanted));
  return choice.kind === "found" ? choice.row : assert.fail();
}

test("the file that ships is one that the check for users' files takes, and its bases are all there", async () => {
  assert.deepEqual(
    await parseCatalogue(readFileSync(OWN_CATALOGUE_PATH, "utf8"), OWN_CATALOGUE_PATH),
    OURS,
  );
  assert.ok(OURS.rows.length > 80);
  for (const row of OURS.rows)
    assert.ok(
      row.isClosed ||
        Object.values(row.recipes).every(({ base }) =>
          base.startsWith("docker.io/library/python:{python}-"),
        ),
      row.name,
    );
});

test("the published schema is the one that is checked", () => {
  const text = `${JSON.stringify(CATALOGUE_SCHEMA, undefined, 2)}\n`;
  if (process.env["SLIPWAY_UPDATE_GOLDEN"] === "1") writeFileSync(PUBLISHED, text);
  assert.equal(
    readFileSync(PUBLISHED, "utf8"),
    text,
    "run this test once with SLIPWAY_UPDATE_GOLDEN=1",
  );
});

test("every row of the documents' tables is found, by the flags that the documents write", () => {
  const inference: readonly (readonly [string, string])[] = [
    ["tf", "tensorflow-1.1.0"],
    ["tf", "tensorflow-1.2.0"],
    ["tf", "tensorflow-1.4.0"],
    ["caffe", "caffe-1.0.0"],
    ["caffe", "caffe-intel 1.0.0"],
    ["keras", "keras-1.2.0"],
    ["keras", "keras-2.0.8"],
    ["mxnet", "mxnet-0.9.5"],
  ];
  for (const [framework, name] of inference)
    assert.equal(found({ framework, purpose: "inference", name }).isClosed, true);
  const training = { framework: "pytorch", purpose: "training" } as const;
  assert.equal(
    found({ ...training, name: "pytorch-0.4", python: "python-3.6.2", os: "ubuntu-16.04" }).name,
    "pytorch-0.4",
  );
  assert.equal(
    found({ ...training, name: "pytorch-0.2.0", python: "python-2.7.6", os: "ubuntu-14.04.05" })
      .name,
    "pytorch-0.2.0",
  );
  assert.equal(
    chooseRow(OURS, { ...training, name: "pytorch-0.4", os: "ubuntu-14.04.05" }).kind,
    "unfit",
  );
});

test("every row of ours is found by its own flags", () => {
  for (const row of OURS.rows) {
    for (const purpose of row.purposes) {
      const own = found({
        framework: row.framework,
        purpose,
        name: row.name,
        os: row.os,
        python: row.pythons[0],
      });
      assert.deepEqual(
        [own.os, own.pythons, own.isClosed],
        [row.os, row.pythons, row.isClosed],
        flagsOfRow(row),
      );
    }
  }
});

test("the vendor's images that are known are named by system and Python", () => {
  const base = (python: string): string | undefined =>
    found({ framework: "tf", purpose: "inference", name: "tensorflow-1.9.0", python }).recipes.cpu
      ?.base;
  assert.equal(
    base("python-2.7.6"),
    "uhub.ucloud.cn/uaishare/cpu_uaiservice_ubuntu-16.04_python-2.7_tensorflow-1.9.0:v1.2",
  );
  assert.equal(
    base("python-3.6.2"),
    "uhub.ucloud.cn/uaishare/cpu_uaiservice_ubuntu-16.04_python-3.6_tensorflow-1.9.0:v1.2",
  );
});

const ROW = "framework: keras, name: keras-9.0, cpu: { base: 'store:mine' }";

test("rows of a user come first, and take the place of ours with their name where both are for the same", async () => {
  const users = await parseCatalogue(
    `
releases:
  - { framework: keras, name: keras-9.0, cpu: { base: "store:keras-{python}" }, pythons: [python-3.13] }
  - { framework: tf, name: tensorflow-1.4.0, for: [inference], cpu: { base: registry.example.com/tf:1.4 } }
  - { framework: caffe, name: caffe-intel-1.0.0, gpu: { base: "docker-daemon:caffe" } }
`,
    "mine.yaml",
  );
  const both = mergeCatalogues(users, OURS);
  assert.equal(
    found({ framework: "keras", purpose: "inference" }, both).recipes.cpu?.base,
    "store:keras-3.13",
  );
  assert.equal(
    found({ framework: "keras", purpose: "training", name: "keras-9" }, both).recipes.cpu?.base,
    "store:keras-3.13",
  );
  assert.deepEqual(
    found(
      {
        framework: "tf",
        purpose: "inference",
        name: "tensorflow-1.4.0",
        os: "ubuntu",
        python: "python-2.7.6",
      },
      both,
    ).recipes.cpu,
    { base: "registry.example.com/tf:1.4", requirements: [], extraIndexUrls: [], apt: [] },
  );
  assert.equal(
    found({ framework: "tf", purpose: "training", name: "tensorflow-1.4.0" }, both).isClosed,
    true,
    "ours is still there for training",
  );
  assert.equal(
    found({ framework: "caffe", purpose: "inference", name: "caffe-intel 1.0.0" }, both).isClosed,
    false,
  );
  assert.equal(namesIn(both, { framework: "keras", purpose: "inference" })[0], "keras-9.0");
});

test("JSON is read as well as YAML", async () => {
  const { rows } = await parseCatalogue(
    '{ "releases": [ { "framework": "onnx", "name": "onnx", "cpu": { "base": "store:x" } } ] }',
    "a.json",
  );
  assert.deepEqual(rows, [
    {
      framework: "onnx",
      name: "onnx",
      purposes: ["inference", "training"],
      pythons: [],
      isClosed: false,
      recipes: { cpu: { base: "store:x", requirements: [], extraIndexUrls: [], apt: [] } },
    },
  ]);
});

const BAD: readonly {
  readonly what: string;
  readonly text: string;
  readonly says: RegExp;
  readonly hint?: RegExp;
}[] = [
  {
    what: "no rows",
    text: "",
    says: /^read "mine\.yaml" line 1, column 1: "releases" is missing$/,
  },
  { what: "not YAML", text: "releases: [", says: /^read "mine\.yaml" line 1/ },
  { what: "a list", text: "- a", says: /it must hold keys and values/ },
  {
    what: "an unknown key",
    text: `releases:\n- { ${ROW} }\n- { ${ROW.replace("9", "8")}, pyhton: a }`,
    says: /line 3, .*: row 2 "keras-8\.0": "pyhton" is not a key of "releases\[1\]"/,
    hint: /did you mean "pythons"/,
  },
  {
    what: "a missing name",
    text: "releases: [{ framework: tf, cpu: { base: a } }]",
    says: /row 1: "name" is missing/,
  },
  {
    what: "a missing base",
    text: "releases: [{ framework: tf, name: a, cpu: { requirements: [b] } }]",
    says: /row 1 "a": "base" is missing/,
  },
  {
    what: "another framework",
    text: "releases: [{ framework: theano, name: theano-1 }]",
    says: /row 1 "theano-1": releases\[0\]\.framework: got "theano", want one of tf, caffe/,
  },
  {
    what: "another purpose",
    text: `releases: [{ ${ROW}, for: [serving] }]`,
    says: /releases\[0\]\.for\[0\]: got "serving", want one of inference, training/,
  },
  {
    what: "nothing to make it of",
    text: "releases: [{ framework: tf, name: a }]",
    says: /row 1 "a": releases\[0\]: it has neither cpu nor gpu/,
  },
  {
    what: "a number for a version",
    text: `releases: [{ ${ROW}, cuda: { version: 12.4, oldest: "5.0", newest: "9.0" } }]`,
    says: /cuda\.version: got 12\.4, want a CUDA version/,
    hint: /in quotes/,
  },
  {
    what: "cards the wrong way round",
    text: `releases: [{ ${ROW}, cuda: { version: "12.4", oldest: "9.0", newest: "5.0" } }]`,
    says: /cuda\.oldest: it is newer than newest/,
  },
  {
    what: "a base that is no reference",
    text: "releases: [{ framework: tf, name: a, cpu: { base: 'A B' } }]",
    says: /row 1 "a": releases\[0\]\.cpu\.base: .*A B/,
  },
  {
    what: "a Python to put in, and none named",
    text: "releases: [{ framework: tf, name: a, cpu: { base: 'python:{python}' } }]",
    says: /releases\[0\]\.cpu\.base: .*pythons says no version/,
  },
  {
    what: "an index that is no address",
    text: "releases: [{ framework: tf, name: a, cpu: { base: b, extraIndexUrls: [./wheels] } }]",
    says: /extraIndexUrls\[0\]: got "\.\/wheels", want an http or https address/,
  },
  {
    what: "a row twice",
    text: `releases:\n- { ${ROW} }\n- { ${ROW}, for: [training] }`,
    says: /row 2 "keras-9\.0": releases\[1\]: it is the same as row 1/,
  },
];

for (const { what, text, says, hint } of BAD) {
  test(`refused with file, row and key: ${what}`, async () => {
    await assert.rejects(
      parseCatalogue(text, "mine.yaml"),
      (error: Error & { code?: string; hint?: string }) => {
        assert.equal(error.code, "PROJECT_INVALID");
        assert.match(error.message, says);
        if (hint !== undefined) assert.match(error.hint ?? "", hint);
        return true;
      },
    );
  });
}
