import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseReference } from "../../../images/oci/index.ts";
import { AnswerFault, parseAnswer, parseImageNames, parsePackages } from "./answers.ts";

const entry = fc.oneof(
  fc.jsonValue(),
  fc.record({
    PkgName: fc.oneof(fc.string(), fc.constant("tf")),
    PkgVersion: fc.jsonValue(),
    PkgId: fc.oneof(fc.nat(), fc.jsonValue()),
  }),
  fc.constant("host.example/a:1"),
);
const answer = fc.record(
  {
    RetCode: fc.oneof(fc.constant(0), fc.jsonValue()),
    PkgSet: fc.oneof(fc.array(entry), fc.jsonValue()),
    BimgName: fc.oneof(fc.array(entry), fc.jsonValue()),
  },
  { requiredKeys: [] },
);

function orFault<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch (error) {
    assert.ok(error instanceof AnswerFault, String(error));
    return undefined;
  }
}

test("whatever bytes come, there is an answer or a fault", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        answer.map((value) => Buffer.from(JSON.stringify(value))),
      ),
      (bytes) => {
        const parsed = orFault(() => parseAnswer(bytes));
        if (parsed === undefined) return;
        assert.ok(Number.isSafeInteger(parsed.RetCode));
        for (const { name, id } of orFault(() => parsePackages(parsed)) ?? [])
          assert.ok(name !== "" && /^[\w.-]+$/.test(id));
        for (const name of orFault(() => parseImageNames(parsed)) ?? []) parseReference(name);
      },
    ),
    { numRuns: 2000 },
  );
});
