import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { isToolError } from "../../../ground/errors/index.ts";
import type { FactMemory, ModelFacts, ModelFile } from "../contracts.ts";
import { detectModel } from "../detect.ts";
import { checkPickles } from "./check-files.ts";
import { pickledEstimator } from "./reader.ts";

const FIXTURES = resolve(import.meta.dirname, "../../../../test/fixtures/pickles");

function fixture(path: string): ModelFile {
  const location = join(FIXTURES, path);
  return { path, location, size: statSync(location).size, identity: path };
}

async function readOne(path: string): Promise<ModelFacts> {
  const file = fixture(path);
  const [candidate] = await pickledEstimator.recognise([file]);
  assert.ok(candidate !== undefined, `${path} is not seen as a model`);
  return pickledEstimator.describe(candidate, [file]);
}

const ROWS = { name: "X", datatype: "FP64", shape: [-1, 3] };

for (const protocol of [0, 1, 2, 3, 4, 5]) {
  test(`a pickle of protocol ${protocol} tells class, version and signature`, async () => {
    const { details, signature, requirements } = await readOne(`bayes-${protocol}.pkl`);
    // The first two do not say which they are.
    const { imports, ...others } = details;
    assert.ok(Array.isArray(imports) && imports.includes("sklearn.naive_bayes.GaussianNB"));
    assert.deepEqual(others, {
      container: "pickle",
      sklearnVersion: ["1.9.1"],
      class: "sklearn.naive_bayes.GaussianNB",
      protocol: String(protocol === 1 ? 0 : protocol),
      format: "pickle",
      sklearn: "1.9.1",
      features: "3",
    });
    assert.deepEqual(signature, {
      inputs: [ROWS],
      outputs: [{ name: "predict", datatype: "INT64", shape: [-1] }],
    });
    assert.deepEqual(requirements, ["numpy>=2", "scikit-learn==1.9.1"]);
  });
}

for (const [path, compression] of [
  ["bayes.joblib", undefined],
  ["bayes-zlib.joblib", "zlib"],
  ["bayes-gzip.joblib", "gzip"],
  ["bayes-lz4.joblib", "lz4"],
  ["bayes-bz2.joblib", "bz2"],
  ["bayes-xz.joblib", "xz"],
] as const) {
  test(`joblib ${compression ?? "plain"}: arrays between the opcodes are passed over, and the same is told`, async () => {
    const { details, signature, requirements } = await readOne(path);
    assert.equal(details["class"], "sklearn.naive_bayes.GaussianNB");
    assert.equal(details["format"], "joblib");
    assert.equal(details["sklearn"], "1.9.1");
    assert.equal(details["compression"], compression);
    assert.deepEqual(signature?.outputs, [{ name: "predict", datatype: "INT64", shape: [-1] }]);
    assert.equal(requirements?.includes("lz4"), compression === "lz4");
  });
}

test("damage of a compressed file is named, wherever it is", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-damaged-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const name of ["bayes-bz2.joblib", "bayes-xz.joblib", "bayes-gzip.joblib"]) {
    const whole = await readFile(join(FIXTURES, name));
    for (const at of [20, whole.byteLength >> 1]) {
      const damaged = Buffer.from(whole);
      damaged.fill(0xa5, at, at + 8);
      const location = join(folder, `${at}-${name}`);
      await writeFile(location, damaged);
      const file = { path: name, location, size: damaged.byteLength };
      await assert.rejects(checkPickles([file]), (error: unknown) => isToolError(error), name);
    }
  }
});

test("classes that are texts answer with BYTES, as fixed text and as objects", async () => {
  for (const path of ["tree-text.joblib", "bayes-objects.joblib"]) {
    assert.deepEqual(
      (await readOne(path)).signature?.outputs,
      [{ name: "predict", datatype: "BYTES", shape: [-1] }],
      path,
    );
  }
});

test("a pipeline takes what its first step takes and gives what its last one gives", async () => {
  const { details, signature } = await readOne("pipeline.joblib");
  assert.equal(details["steps"], "StandardScaler > LinearRegression");
  assert.deepEqual(signature, {
    inputs: [ROWS],
    outputs: [{ name: "predict", datatype: "FP64", shape: [-1] }],
  });
});

test("an estimator that takes categories has no signature, since a count of columns says nothing of their types", async () => {
  assert.equal((await readOne("categories.joblib")).signature, undefined);
});

test("a class that only the training script knew is refused, with what to do", async () => {
  await assert.rejects(readOne("main.joblib"), {
    code: "PICKLE_REFUSED",
    message: /imports "__main__\.Mine", which is not on the list/,
    hint: /move it into a module beside the model, train again, and allow it by its new name/,
  });
});

test("a name of the user's own is refused with the line to add, and taken when it is allowed", async () => {
  const file = fixture("main.joblib");
  const candidate = { kind: "sklearn", modelPath: file.path, isCertain: false, label: "" } as const;
  const { details } = await pickledEstimator.describe(candidate, [file], {
    allowPickle: ["__main__.Mine"],
  });
  assert.equal(details["class"], "sklearn.pipeline.Pipeline");
});

test("pickles of something else are no models", async () => {
  assert.deepEqual(
    await pickledEstimator.recognise(["tuple.pkl", "array.joblib"].map(fixture)),
    [],
  );
});

test("a pickle that is named as the model and is none says what it holds", async () => {
  await assert.rejects(
    pickledEstimator.describe(
      { kind: "sklearn", modelPath: "tuple.pkl", isCertain: false, label: "" },
      [fixture("tuple.pkl")],
    ),
    { code: "MODEL_FILE_INVALID", message: /holds no object/ },
  );
});

test("an estimator in a dictionary is the model, and what the other keys hold is told", async () => {
  const { details, signature } = await readOne("dict.pkl");
  assert.equal(details["class"], "sklearn.naive_bayes.GaussianNB");
  const { bundle } = details;
  assert.ok(typeof bundle === "object" && bundle !== null && "model" in bundle);
  assert.deepEqual(signature?.inputs, [ROWS]);
});

test("a pickle that was cut short is refused by name, wherever it was cut", async () => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-pickle-"));
  try {
    const { readFile } = await import("node:fs/promises");
    const whole = await readFile(join(FIXTURES, "bayes.joblib"));
    for (const length of [60, 300, whole.byteLength - 1]) {
      const location = join(folder, "model.joblib");
      await writeFile(location, whole.subarray(0, length));
      const file: ModelFile = { path: "model.joblib", location, size: length };
      await assert.rejects(
        pickledEstimator.describe(
          { kind: "sklearn", modelPath: "model.joblib", isCertain: false, label: "" },
          [file],
        ),
        {
          code: "MODEL_FILE_INVALID",
          message: /"model\.joblib": it is not a whole pickle: it ends in the middle/,
        },
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("what is remembered of a file is not read again", async () => {
  const kept = new Map<string, unknown>();
  const memory: FactMemory = {
    get: (key) => Promise.resolve(kept.get(key)),
    set: (key, value) => Promise.resolve(void kept.set(key, JSON.parse(JSON.stringify(value)))),
  };
  const file = fixture("bayes.joblib");
  const first = await detectModel({ folder: "x", files: [file] }, { memory });
  const gone: ModelFile = { ...file, location: join(FIXTURES, "not-there") };
  assert.equal((await pickledEstimator.recognise([gone], { memory })).length, 1);
  const facts = await pickledEstimator.describe(first.chosen, [gone], { memory });
  assert.deepEqual(facts.details, first.details);
  await assert.rejects(
    pickledEstimator.describe(first.chosen, [{ ...gone, identity: "another" }], { memory }),
    { code: "ENOENT" },
  );
});

test("several models in a folder are all named, with what to write", async () => {
  await assert.rejects(
    detectModel({ folder: "x", files: [fixture("bayes.joblib"), fixture("pipeline.joblib")] }),
    {
      code: "MODEL_NOT_DETECTED",
      message:
        /found 2 that could be it: GaussianNB of scikit-learn in "bayes\.joblib", Pipeline of scikit-learn in "pipeline\.joblib"/,
      hint: /`model: bayes\.joblib` or `model: pipeline\.joblib`/,
    },
  );
  const { chosen } = await detectModel({
    folder: "x",
    files: [fixture("bayes.joblib"), fixture("pipeline.joblib")],
    model: "pipeline.joblib",
  });
  assert.equal(chosen.modelPath, "pipeline.joblib");
});

test("large arrays are skipped, not read", async () => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-pickle-"));
  try {
    // A joblib file whose array is 4 GiB of nothing: read through, it would take seconds and fill a buffer.
    const location = join(folder, "model.joblib");
    await using file = await open(location, "w");
    const size = 2 ** 32;
    await file.write(Buffer.concat([head(size)]), 0);
    await file.truncate(head(size).byteLength + size);
    await file.write(Buffer.from("s."), 0, 2, head(size).byteLength + size);
    const { scanPickle } = await import("./scan.ts");
    const { openPickle } = await import("./container.ts");
    const { input } = await openPickle(location);
    assert.ok(input !== undefined);
    await using opened = input;
    const scan = await scanPickle(opened);
    assert.equal(scan.isWhole, true);
    assert.equal(opened.position, head(size).byteLength + size + 2);
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** `{"a": <array of so many bytes>}` up to where the bytes begin. */
function head(bytes: number): Buffer {
  const text = (value: string): Buffer =>
    Buffer.concat([Buffer.from([0x8c, value.length]), Buffer.from(value)]);
  const long = Buffer.alloc(10);
  long.set([0x8a, 8]);
  long.writeBigInt64LE(BigInt(bytes), 2);
  const dtype = Buffer.concat([
    Buffer.from("cnumpy\ndtype\n"),
    text("u1"),
    Buffer.from("\x85R", "latin1"),
  ]);
  const state = Buffer.concat([
    Buffer.from("}("),
    text("shape"),
    long,
    Buffer.from("\x85", "latin1"),
    text("dtype"),
    dtype,
    Buffer.from("u"),
  ]);
  return Buffer.concat([
    Buffer.from("\x80\x04}", "latin1"),
    text("a"),
    Buffer.from("cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81", "latin1"),
    state,
    Buffer.from("b"),
  ]);
}
