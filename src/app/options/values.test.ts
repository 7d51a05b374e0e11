import assert from "node:assert/strict";
import { test } from "node:test";
import { epochOf } from "../settings.ts";
import { parseCount, parseEnvironment, parseNames, parsePortNumber } from "./values.ts";

const usage = { code: "USAGE" };

test("numbers of the command line are checked before anything happens", () => {
  assert.equal(parsePortNumber("0"), 0);
  assert.equal(parsePortNumber("65535"), 65_535);
  for (const text of ["65536", "-1", "80.5", "", "http", "1e3"])
    assert.throws(() => parsePortNumber(text), usage, text);
  assert.equal(parseCount("12"), 12);
  for (const text of ["0", "-1", "1.5", "", "x"])
    assert.throws(() => parseCount(text), usage, text);
});

test("the time that goes into images is a count of seconds, and 0 where none is said", () => {
  assert.equal(epochOf(undefined), 0);
  assert.equal(epochOf("1700000000"), 1_700_000_000);
  assert.throws(() => epochOf("yesterday"), usage);
});

test("names stand with commas between them", () => {
  assert.deepEqual(parseNames("python3, libgomp1,"), ["python3", "libgomp1"]);
});

test("a variable without a value comes from the environment, and a value never shows in an error", () => {
  assert.deepEqual(parseEnvironment(["A=1", "B=x=y", "C=", "HOME", "NOWHERE"], { HOME: "/h" }), {
    A: "1",
    B: "x=y",
    C: "",
    HOME: "/h",
  });
  assert.throws(
    () => parseEnvironment(["1BAD=hunter2"], {}),
    (error: Error) => !error.message.includes("hunter2") && error.message.includes("1BAD"),
  );
});
