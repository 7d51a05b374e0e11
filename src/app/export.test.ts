import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  checkpointVariants,
  CHECKPOINTS,
  flagOf,
  inputWords,
  unpackCheckpoint,
  type CheckpointVariant,
} from "../../test/support/checkpoints.ts";
import { isToolError } from "../ground/errors/index.ts";
import { parseReplacement } from "../models/export/index.ts";
import { parseSavedModel } from "../models/tensorflow/index.ts";
import { exportCheckpoint, exportSavedModel, type ExportResult } from "./export.ts";

const LEFT_OVER =
  /^(?:Variable|VarHandleOp|Ref[A-Z]|ReadVariableOp|Assign|Restore|Save|Scatter(?:Add|Sub|Update)|Resource|VarIsInit|IsVariableInit)/;

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "slipway-export-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function run(folder: string, output: string, variant: CheckpointVariant): Promise<ExportResult> {
  return exportCheckpoint({
    source: join(folder, "checkpoint-files"),
    output,
    outputs: flagOf(variant, "--outputs")?.split(","),
    inputs: inputWords(variant).map(parseReplacement),
  });
}

test("there are checkpoints to try", () => assert.ok(CHECKPOINTS.length >= 15));

for (const name of CHECKPOINTS)
  test(`${name}: frozen without a variable left, or refused by name`, async (t) => {
    const folder = temporaryFolder(t);
    unpackCheckpoint(name, join(folder, "checkpoint-files"));
    for (const variant of checkpointVariants(join(folder, "checkpoint-files"))) {
      const output = join(folder, `${variant.id}.pb`);
      if (variant.expect === "refused") {
        await assert.rejects(run(folder, output, variant), (error) => {
          assert.ok(isToolError(error) && error.code === "UNSUPPORTED", String(error));
          for (const word of variant.must_say ?? [])
            assert.ok(`${error.message} ${error.hint}`.includes(word), `${word}: ${error.message}`);
          return true;
        });
        assert.equal(existsSync(output), false);
        continue;
      }
      const again = join(folder, "again.pb");
      const result = await run(folder, output, variant);
      await run(folder, again, variant);
      assert.deepEqual(readFileSync(output), readFileSync(again), "the same bytes each time");
      assert.equal(readFileSync(output).byteLength, result.size);
      assertFrozen(readFileSync(output), result);
    }
    assert.deepEqual(
      readdirSync(folder).filter((file) => file.startsWith(".tmp")),
      [],
    );
  });

/** A frozen graph inside of a SavedModel's frame is what our own parser reads. */
function assertFrozen(bytes: Buffer, { outputs, inputs }: ExportResult): void {
  const [meta] = parseSavedModel(frame(2, frame(2, bytes)));
  assert.ok(meta !== undefined);
  const { nodes, functions } = meta.graph;
  const all = [...nodes, ...functions.flatMap((one) => one.nodes)];
  assert.deepEqual(
    all.filter(({ op }) => LEFT_OVER.test(op)).map(({ name, op }) => `${name} (${op})`),
    [],
  );
  assert.ok(all.every(({ device, attrs }) => device === "" && !attrs.has("_class")));
  const names = new Set(nodes.map((node) => node.name));
  assert.equal(names.size, nodes.length, "every node has a name of its own");
  for (const output of outputs) assert.ok(names.has(output.split(":")[0] ?? ""), output);
  for (const input of inputs) assert.ok(names.has(input), input);
  for (const node of nodes)
    for (const input of node.inputs)
      assert.ok(names.has(input.replace(/^\^/, "").split(":")[0] ?? ""), `${node.name}: ${input}`);
}

/** A length-delimited field. */
function frame(number: number, bytes: Buffer): Buffer {
  const head = [(number << 3) | 2];
  let size = bytes.byteLength;
  for (; size > 127; size = Math.floor(size / 128)) head.push((size % 128) + 128);
  return Buffer.concat([Buffer.from([...head, size]), bytes]);
}

test("a frozen graph as a SavedModel can be frozen again, to the same nodes", async (t) => {
  const folder = temporaryFolder(t);
  unpackCheckpoint("signature_def--tf221", join(folder, "in"));
  const savedModel = join(folder, "saved");
  const first = await exportCheckpoint({
    source: join(folder, "in"),
    output: join(folder, "1.pb"),
    savedModel,
  });
  const second = await exportSavedModel({ source: savedModel, output: join(folder, "2.pb") });
  assert.equal(second.nodes, first.nodes);
  assert.deepEqual(readFileSync(join(folder, "2.pb")), readFileSync(join(folder, "1.pb")));
  await assert.rejects(
    exportSavedModel({ source: savedModel, output: join(folder, "3.pb"), signature: "no" }),
    /the graph has "serving_default"/,
  );
  await assert.rejects(
    exportSavedModel({ source: savedModel, output: join(folder, "3.pb"), tags: ["train"] }),
    /have the tags "serve"/,
  );
});

test("a prefix names one checkpoint; a step, an output or an input that is not there is an error", async (t) => {
  const folder = temporaryFolder(t);
  unpackCheckpoint("v2_linear--tf221", folder);
  const output = join(folder, "y.pb");
  const base = { output, outputs: ["y"] };
  const source = join(folder, "model.ckpt-200000");
  assert.equal((await exportCheckpoint({ ...base, source })).inputs[0], "x");
  await assert.rejects(
    exportCheckpoint({ ...base, source: folder, step: 7n }),
    /there is no step 7; there are 200000/,
  );
  await assert.rejects(exportCheckpoint({ ...base, source: join(folder, "no") }), /its folder has/);
  await assert.rejects(
    exportCheckpoint({ ...base, source, outputs: ["MatMull"] }),
    /no node "MatMull"/,
  );
  await assert.rejects(
    exportCheckpoint({ ...base, source, outputs: ["y:1"] }),
    /gives 1 values, numbered from 0/,
  );
  await assert.rejects(exportCheckpoint({ ...base, source, outputs: ["init"] }), /gives no value/);
  await assert.rejects(
    exportCheckpoint({ ...base, source, inputs: [parseReplacement("nothing=x")] }),
    /no node "nothing"/,
  );
  await assert.rejects(exportCheckpoint({ output, source }), /candidates are "y"/);
});

test("a training graph without its pipeline.config is refused as one", async (t) => {
  const folder = temporaryFolder(t);
  unpackCheckpoint("od_ssd_training", folder);
  rmSync(join(folder, "pipeline.config"));
  const output = join(folder, "out.pb");
  await assert.rejects(
    exportCheckpoint({ source: folder, output }),
    /training graph.*detection_boxes.*no pipeline\.config/,
  );
  assert.equal(existsSync(output), false);
});

test("images may come in as files or in tf.Example messages", async (t) => {
  const folder = temporaryFolder(t);
  unpackCheckpoint("od_ssd_training", folder);
  for (const inputType of ["encoded_image_string_tensor", "tf_example"] as const) {
    const output = join(folder, `${inputType}.pb`);
    const result = await exportCheckpoint({ source: folder, output, inputType });
    assert.deepEqual(result.inputs, [inputType]);
    assertFrozen(readFileSync(output), result);
  }
});
