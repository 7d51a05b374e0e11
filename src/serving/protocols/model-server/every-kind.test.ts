import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { detectModel } from "../../../models/kinds/index.ts";
import type { Signature } from "../../../models/tensor/index.ts";
import type { PredictorFacts } from "../../plane/index.ts";
import { modelFilesIn } from "../../../../test/support/kinds/model-folder.ts";
import { modelServerExample } from "./model-server-openapi.ts";
import { prepareInputs } from "./prepare-inputs.ts";
import { readJsonBody } from "./read-json.ts";

const FIXTURES = resolve(import.meta.dirname, "../../../../test/fixtures/kinds");
const folders = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const NOTHING = { images: { read: () => Promise.reject(new Error("no picture came")) } };

function predictorFacts(signature: Signature): PredictorFacts {
  return {
    ...{ signature, platform: "any", takesTensors: true, takesRawBody: false },
    ...{ streams: false, joinsRows: false, wantsHeaders: false },
  };
}

async function prepared(facts: PredictorFacts, body: string): Promise<readonly string[]> {
  const { tensors } = await prepareInputs(readJsonBody(Buffer.from(body), facts), {
    ...{ model: "m", facts, preprocess: {}, caller: {} },
    images: { ...NOTHING.images, [Symbol.asyncDispose]: async () => undefined },
  });
  return tensors.map(({ name }) => name);
}

let described = 0;

for (const folder of folders)
  test(`what the files of ${folder} say is enough to take a request that fits, and to refuse one that does not`, async () => {
    const path = join(FIXTURES, folder);
    const { signature, obstacle } = await detectModel({ folder, files: modelFilesIn(path) });
    if (obstacle !== undefined || signature === undefined) return;
    described += 1;
    const facts = predictorFacts(signature);
    const { inputs, outputs } = signature;
    const model = { name: "m", inputs, outputs, takesTensors: true, takesRawBody: false };
    const example = modelServerExample(model);
    assert.ok(example !== undefined);
    const names = inputs.map(({ name }) => name);
    assert.deepEqual(await prepared(facts, example.body), names);
    // An input whose number of axes nobody states takes any shape.
    const wrong = inputs.map((input) => (input.isRankUnknown === true ? [] : [[[[[[[1]]]]]]]));
    const byName = (values: readonly unknown[]): string =>
      JSON.stringify({ inputs: Object.fromEntries(names.map((name, at) => [name, values[at]])) });
    const refused = [JSON.stringify({ inputs: { [`${names[0]}?`]: [1] } })];
    if (inputs.some(({ isRankUnknown }) => isRankUnknown !== true)) refused.push(byName(wrong));
    for (const body of refused)
      await assert.rejects(prepared(facts, body), (error: unknown) => {
        const { code, tensor } = error as { readonly code?: string; readonly tensor?: string };
        assert.equal(code, "TENSOR_INVALID", String(error));
        assert.ok([...names, `${names[0]}?`].includes(tensor ?? ""), String(error));
        return true;
      });
  });

test("most kinds say what they take", () => {
  assert.ok(described >= 10, `${described} of ${folders.length}`);
});
