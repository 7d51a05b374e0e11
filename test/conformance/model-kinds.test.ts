import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { isToolError } from "../../src/ground/errors/index.ts";
import { detectModel, type DetectedModel } from "../../src/models/kinds/index.ts";
import { differences, type Expected } from "../support/kinds/compare-description.ts";
import { modelFilesIn } from "../support/kinds/model-folder.ts";

/**
 * Model files that frameworks wrote, against what their own readers say of them. Small ones are carried; a larger corpus is read too when
 * SLIPWAY_KINDS_MANIFEST names its manifest, SLIPWAY_KINDS_CORPUS the folder of its items, and SLIPWAY_KINDS_BROKEN that of its broken ones.
 */
interface Item {
  readonly id: string;
  readonly kind: string;
  readonly describe: Expected;
  /** Words that a refusal to serve must hold. */
  readonly refuse?: readonly string[];
}

interface Broken {
  readonly id: string;
  readonly expect: string;
  readonly say?: readonly string[];
  readonly say_any?: readonly string[];
}

const CARRIED = resolve(import.meta.dirname, "../fixtures/kinds");
const carried = JSON.parse(readFileSync(join(CARRIED, "cases.json"), "utf8")) as readonly Item[];
const {
  SLIPWAY_KINDS_MANIFEST,
  SLIPWAY_KINDS_CORPUS = "",
  SLIPWAY_KINDS_BROKEN = "",
} = process.env;

for (const item of carried) testItem(CARRIED, item);

if (SLIPWAY_KINDS_MANIFEST !== undefined) {
  const manifest = JSON.parse(readFileSync(SLIPWAY_KINDS_MANIFEST, "utf8")) as {
    readonly items: readonly (Omit<Item, "refuse"> & {
      readonly refuse?: { readonly say?: readonly string[] } | null;
      readonly refuse_ok?: { readonly say?: readonly string[] } | null;
      readonly describe: Expected;
    })[];
    readonly broken: readonly Broken[];
  };
  for (const item of manifest.items) {
    const refuse = item.refuse ?? item.refuse_ok;
    const words = refuse === undefined || refuse === null ? {} : { refuse: refuse.say ?? [] };
    testItem(SLIPWAY_KINDS_CORPUS, {
      id: item.id,
      kind: item.kind,
      describe: item.describe,
      ...words,
    });
  }
  // Archives are a matter of fetching, not of kinds.
  for (const broken of manifest.broken)
    if (existsSync(join(SLIPWAY_KINDS_BROKEN, broken.id)) && !broken.id.startsWith("boot-"))
      testBroken(SLIPWAY_KINDS_BROKEN, broken);
}

function testItem(corpus: string, item: Item): void {
  test(`described: ${item.id}`, async () => {
    const found = await look(join(corpus, item.id));
    if (found instanceof Error) {
      // A file that stands in for a model has nothing to describe but what it is.
      assert.ok(item.refuse !== undefined, found.message);
      return assertWords(found, item.refuse);
    }
    assert.equal(found.chosen.kind, item.kind);
    assert.deepEqual(differences(item.describe, found), []);
    if (item.refuse === undefined) assert.equal(found.obstacle, undefined);
    else assertWords(refusalOf(found), item.refuse);
  });
}

function testBroken(corpus: string, broken: Broken): void {
  test(`refused: ${broken.id}`, async () => {
    const found = await look(join(corpus, broken.id));
    const error = found instanceof Error ? found : refusalOf(found);
    if (broken.expect === "either" && error.message === "") return;
    assertWords(error, broken.say ?? []);
    const any = broken.say_any ?? [];
    if (any.length > 0)
      assert.ok(
        any.some((word) => holds(error.message, word)),
        `${error.message}: none of ${any.join(", ")}`,
      );
  });
}

async function look(folder: string): Promise<DetectedModel | Error> {
  try {
    return await detectModel({ folder: "corpus", files: modelFilesIn(folder) });
  } catch (error) {
    assert.ok(isToolError(error), `${String(error)} is not an error of ours`);
    return error;
  }
}

function refusalOf({ obstacle }: DetectedModel): Error {
  return new Error(obstacle === undefined ? "" : obstacle.why);
}

function assertWords({ message }: Error, words: readonly string[]): void {
  assert.notEqual(message, "", "it is not refused");
  for (const word of words) assert.ok(holds(message, word), `"${message}" does not say ${word}`);
}

function holds(message: string, word: string): boolean {
  return message.toLowerCase().includes(word.toLowerCase());
}
