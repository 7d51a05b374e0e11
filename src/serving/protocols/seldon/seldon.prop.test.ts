import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isToolError } from "../../../ground/errors/index.ts";
import type { ComponentMethod } from "../../plane/index.ts";
import { elementCount, itemBytes } from "../../../models/tensor/index.ts";
import { JsonReader, readNode } from "../json/index.ts";
import {
  parseFeedback,
  SeldonAnswerWriter,
  SeldonRequestParser,
  type FormField,
  type SeldonCall,
} from "./index.ts";

const METHODS: readonly ComponentMethod[] = ["predict", "transform-input", "route", "aggregate"];
const SETTINGS = { sortKeys: true, asciiOnly: true, isPretty: false, includeMetrics: true };
const parser = new SeldonRequestParser();
const writer = new SeldonAnswerWriter(SETTINGS);

/** JSON that looks like a message: the words that mean something, in odd places. */
const { node } = fc.letrec<{ node: unknown; object: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom<unknown>(
      null,
      true,
      0,
      -1,
      1.5,
      1e300,
      "",
      "a",
      "tensor",
      "AAE=",
      "é\u{1f600}",
    ),
    fc.array(tie("node"), { maxLength: 4 }),
    tie("object"),
  ),
  object: fc.dictionary(
    fc.constantFrom(
      "data",
      "ndarray",
      "tensor",
      "values",
      "shape",
      "names",
      "meta",
      "tags",
      "metrics",
      "puid",
      "requestPath",
      "jsonData",
      "strData",
      "binData",
      "tftensor",
      "seldonMessages",
      "request",
      "truth",
      "reward",
      "__proto__",
    ),
    tie("node"),
    { maxKeys: 5 },
  ),
}));

const choices = fc.record({
  method: fc.constantFrom(...METHODS),
  isWhole: fc.boolean(),
  isStrict: fc.boolean(),
});

/** Runs what may refuse; anything but our own refusal is a bug. */
function orRefusal<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    assert.ok(
      isToolError(error),
      `not a refusal: ${error instanceof Error ? error.stack : String(error)}`,
    );
    return undefined;
  }
}

/** A tensor fills its shape, and everything else is JSON where it says so. */
function assertSound({ request }: SeldonCall): void {
  for (const { payload } of request.messages) {
    if (payload.kind === "tensor" && payload.tensor.datatype !== "BYTES")
      assert.equal(
        payload.tensor.data.byteLength,
        elementCount(payload.tensor.shape) * itemBytes(payload.tensor.datatype),
      );
    if (payload.kind === "array" || payload.kind === "json" || payload.kind === "raw")
      parseAll(payload.json);
  }
}

function parseAll(text: string): void {
  const reader = new JsonReader();
  reader.open(Buffer.from(text));
  readNode(reader);
  reader.finish();
}

test("any JSON is a call or a refusal, and what comes back of a call is an answer or a refusal", () => {
  let answers = 0;
  fc.assert(
    fc.property(node, choices, (value, options) => {
      const call = orRefusal(() => parser.parseJson(Buffer.from(JSON.stringify(value)), options));
      if (call === undefined) return;
      assertSound(call);
      const [message] = call.request.messages;
      if (message === undefined || options.isWhole) return;
      const answer = orRefusal(() =>
        writer.answer({
          method: options.method,
          response: { message, isRaw: false },
          context: call.context,
        }),
      );
      if (answer === undefined) return;
      answers += 1;
      parseAll(String(answer.body));
    }),
    { numRuns: 3000 },
  );
  assert.ok(answers > 30, `only ${answers} of 3000 came to an answer`);
});

test("any JSON is feedback or a refusal", () => {
  fc.assert(
    fc.property(node, fc.boolean(), (value, isWhole) => {
      const call = orRefusal(() =>
        parseFeedback(
          Buffer.from(JSON.stringify(value)),
          { method: "send-feedback", isWhole, isStrict: false },
          "0",
        ),
      );
      if (call !== undefined) assertSound(call);
    }),
    { numRuns: 2000 },
  );
});

test("any bytes and any form are calls or refusals", () => {
  const field: fc.Arbitrary<FormField> = fc.record({
    name: fc.constantFrom("data", "meta", "jsonData", "strData", "binData", "other"),
    content: fc.oneof(
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
      node.map((value) => Buffer.from(JSON.stringify(value) ?? "")),
    ),
    isFile: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(field, { maxLength: 4 }),
      choices,
      (bytes, fields, options) => {
        for (const call of [
          orRefusal(() => parser.parseJson(Buffer.from(bytes), options)),
          orRefusal(() => parser.parseForm(fields, options)),
        ])
          if (call !== undefined) assertSound(call);
      },
    ),
    { numRuns: 2000 },
  );
});
