import assert from "node:assert/strict";
import { test } from "node:test";
import { modelFilesIn, modelFolder } from "../../../test/support/kinds/model-folder.ts";
import { KIND_SAMPLES } from "../../../test/support/kinds/samples.ts";
import { isToolError } from "../../ground/errors/index.ts";
import { MODEL_KINDS, runtimeOf } from "../description/index.ts";
import { detectModel, type DetectedModel } from "./detect.ts";

const look = (folder: string): Promise<DetectedModel> =>
  detectModel({ folder: "sample", files: modelFilesIn(folder) });

for (const kind of MODEL_KINDS) {
  test(`${kind}: a model is recognised and described, and served or refused by name`, async (t) => {
    const found = await look(modelFolder(t, KIND_SAMPLES[kind]().files));
    assert.equal(found.chosen.kind, kind);
    if (kind !== "class") assert.ok(found.files.length > 0, "it names its files");
    const runtime = runtimeOf({ kind });
    if (runtime !== "none") return assert.equal(found.obstacle, undefined);
    assert.ok(found.obstacle !== undefined, "what is not served says so");
    assert.ok(Object.keys(found.details).length > 0, "it is described");
  });

  test(`${kind}: one that lacks a part is refused, and what is missing is named`, async (t) => {
    const { broken, says } = KIND_SAMPLES[kind]();
    const folder = modelFolder(t, broken);
    try {
      const { obstacle } = await look(folder);
      assert.match(obstacle?.why ?? "it was taken", says);
    } catch (error) {
      assert.ok(isToolError(error), String(error));
      assert.match(error.message, says);
    }
  });
}
