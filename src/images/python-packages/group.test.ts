import assert from "node:assert/strict";
import { test } from "node:test";
import { ALONE_BYTES, groupPackages, type Groupable } from "./group.ts";

const one = (name: string, size = 1000, isPure = false): Groupable => ({
  name,
  version: "1.0",
  size,
  isPure,
});
const many = Array.from({ length: 40 }, (_, index) =>
  one(`package-${index}`, 1000 + index, index % 2 === 0),
);

test("a large package has a layer to itself, the rest has at most four", () => {
  const groups = groupPackages([...many, one("torch", 4 * ALONE_BYTES), one("scipy", ALONE_BYTES)]);
  assert.deepEqual(groups.map(({ label }) => label).slice(0, 2), [
    "python: scipy 1.0",
    "python: torch 1.0",
  ]);
  assert.equal(groups.length, 6);
  assert.equal(groups.flatMap(({ members }) => members).length, 42);
});

test("a changed package touches one layer", () => {
  const keys = (packages: readonly Groupable[]): string[] =>
    groupPackages(packages).map(({ members }) =>
      members.map(({ name, version }) => `${name}${version}`).join(),
    );
  const before = new Set(keys(many));
  const changed = keys(
    many.map((each) =>
      each.name === "package-7" ? { ...each, version: "2.0", size: 5000 } : each,
    ),
  );
  assert.equal(changed.filter((key) => !before.has(key)).length, 1);
});

test("the order in which packages come does not matter", () => {
  assert.deepEqual(groupPackages(many.toReversed()), groupPackages(many));
});

test("packages without compiled code are never grouped with others", () => {
  for (const { members } of groupPackages(many))
    assert.equal(new Set(members.map(({ isPure }) => isPure)).size, 1);
});

test("a hundred large packages keep the image far below the layer limit", () => {
  const groups = groupPackages(
    Array.from({ length: 100 }, (_, index) => one(`large-${index}`, ALONE_BYTES + index)),
  );
  assert.ok(groups.length <= 20, `${groups.length}`);
  assert.equal(groups.flatMap(({ members }) => members).length, 100);
});

test("nothing makes no layer", () => assert.deepEqual(groupPackages([]), []));
