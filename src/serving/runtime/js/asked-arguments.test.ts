import assert from "node:assert/strict";
import { test } from "node:test";
import { askedArguments } from "./asked-arguments.ts";

/* eslint-disable typescript/unbound-method, typescript/no-implied-eval -- sources of functions are read, and nothing calls them */
const METHODS = {
  plain: {
    predict(inputs: unknown) {
      return inputs;
    },
  }.predict,
  arrow: (inputs: unknown) => inputs,
  bare: Function("return inputs => inputs")() as unknown,
  asked: {
    async predict(inputs: unknown, headers: object, parameters: object) {
      return [inputs, headers, parameters];
    },
  }.predict,
  yields: {
    async *predict(inputs: unknown, /* (not, these) */ outputs: unknown = ["),"]) {
      yield [inputs, outputs];
    },
  }.predict,
  hasOwn: (
    inputs: unknown,
    own: unknown = { a: [1, 2], b: (c: number) => c },
    requestId: string,
  ) => [inputs, own, requestId],
  rest: (inputs: unknown, ...others: readonly unknown[]) => [inputs, others],
  seldon: {
    predict(X: unknown, names: unknown) {
      return [X, names];
    },
  }.predict,
  further: (inputs: unknown, names: unknown) => [inputs, names],
  apart: ({ inputs }: { inputs: unknown }) => inputs,
  none: () => 1,
};

test("the typed contract is known by the names of its arguments", () => {
  const found = Object.entries(METHODS).map(([name, method]) => [name, askedArguments(method)]);
  assert.deepEqual(Object.fromEntries(found), {
    ...{ plain: [], arrow: [], bare: [] },
    asked: ["headers", "parameters"],
    yields: ["outputs"],
    hasOwn: [undefined, "requestId"],
    rest: [undefined],
    ...{ seldon: undefined, further: undefined, apart: undefined, none: undefined },
  });
  assert.equal(askedArguments("inputs"), undefined);
});
