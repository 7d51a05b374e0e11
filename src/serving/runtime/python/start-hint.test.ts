import assert from "node:assert/strict";
import { test } from "node:test";
import type { UserFailure } from "../../plane/index.ts";
import { startHint } from "./start-hint.ts";
import { parseUserFailure } from "./user-failure.ts";

function failure(type: string, lacks?: UserFailure["lacks"]): UserFailure {
  return parseUserFailure(JSON.stringify({ type, lacks }));
}

const HINTS: readonly (readonly [type: string, lacks: UserFailure["lacks"], hint: RegExp])[] = [
  ["ModuleNotFoundError", { module: "sklearn" }, /`pip install scikit-learn` .* requirements\.txt/],
  ["ModuleNotFoundError", { module: "numpy" }, /`pip install numpy`/],
  [
    "ModuleNotFoundError",
    { module: "keras.engine" },
    /pin the release of keras .* no keras\.engine/,
  ],
  ["AttributeError", { module: "tensorflow", attribute: "Session" }, /--tf1-compat/],
  [
    "AttributeError",
    { module: "numpy", attribute: "int" },
    /pin the release of numpy .* numpy\.int/,
  ],
  ["TabError", undefined, /--convert-py2/],
  ["SyntaxError", undefined, /--convert-py2/],
  ["ValueError", undefined, /^read the traceback in the log$/],
];

for (const [type, lacks, hint] of HINTS)
  test(`code that does not start for ${type} ${JSON.stringify(lacks ?? "")} has a way out`, () =>
    assert.match(startHint(failure(type, lacks)), hint));
