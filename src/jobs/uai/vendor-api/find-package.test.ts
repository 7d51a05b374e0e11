import assert from "node:assert/strict";
import { test } from "node:test";
import type { PackageType } from "./contracts.ts";
import { findPackage } from "./find-package.ts";

const PACKAGES = [
  { name: "tensorflow", version: "1.1.0", id: "31" },
  { name: "tensorflow", version: "1.4.0", id: "32" },
  { name: "caffe", version: "intel 1.0.0", id: "33" },
  { name: "any", version: "", id: "34" },
  { name: "-1.0", version: "1.0", id: "35" },
  { name: "a-b", version: "2", id: "36" },
];

const CASES: readonly (readonly [type: PackageType, wanted: string, id: string | undefined])[] = [
  ["AIFrame", "tensorflow-1.4.0", "32"],
  ["AIFrame", "tensorflow", "31"],
  ["AIFrame", "tensorflow-2.0", undefined],
  ["AIFrame", "caffe-intel 1.0.0", "33"],
  ["AIFrame", "any-7", "34"],
  ["AIFrame", "-1.0", undefined],
  ["AIFrame", "a-b-2", "36"],
  ["Python", "tensorflow-1.1.0", "31"],
  ["Pip", "a-b", "36"],
  ["Pip", "tensorflow-1.1.0", undefined],
];

for (const [type, wanted, id] of CASES) {
  test(`${type} "${wanted}" is ${id ?? "none"}`, () => {
    assert.equal(findPackage(PACKAGES, type, wanted)?.id, id);
  });
}
