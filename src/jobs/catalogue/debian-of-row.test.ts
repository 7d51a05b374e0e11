import assert from "node:assert/strict";
import { test } from "node:test";
import { debianOfRow } from "./index.ts";

const ROW = { os: "debian-12", pythons: ["python-3.12", "python-3.11"] };
const BOOKWORM = { suite: "bookworm", python: "3.11" };

test("a row stands on the Debian that has a Python of it", () => {
  assert.deepEqual(debianOfRow(ROW, undefined), BOOKWORM);
  assert.deepEqual(debianOfRow(ROW, "python-3.11"), BOOKWORM);
  assert.deepEqual(debianOfRow({ os: "debian-13", pythons: ["python-3.13"] }, undefined), {
    suite: "trixie",
    python: "3.13",
  });
});

test("no Debian has another Python, and none is a row's that names another system", () => {
  assert.equal(debianOfRow(ROW, "python-3.12"), undefined);
  assert.equal(debianOfRow({ ...ROW, pythons: ["python-3.8"] }, undefined), undefined);
  assert.equal(debianOfRow({ ...ROW, os: "ubuntu-22.04" }, undefined), undefined);
  assert.equal(debianOfRow({ pythons: ["python-3.11"] }, undefined), undefined);
});
