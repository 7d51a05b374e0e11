import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { createImageDecoder, type Pixels } from "./index.ts";
import { resized } from "./resize.ts";
import type { Resampling } from "../description/index.ts";

const FIXTURES = resolve(import.meta.dirname, "../../../test/fixtures/images");
/** What Pillow read in the pictures; `make.py` beside them made both. */
const expected = JSON.parse(readFileSync(join(FIXTURES, "expected.json"), "utf8")) as {
  readonly decoded: Readonly<
    Record<string, { readonly size: readonly [number, number]; readonly rgba: string }>
  >;
  readonly resized: readonly {
    readonly filter: Resampling;
    readonly size: readonly [number, number];
    readonly rgb: string;
  }[];
};
const decoder = createImageDecoder();

function read(name: string): Promise<Pixels> {
  return decoder.decode(readFileSync(join(FIXTURES, name)));
}

for (const [name, { size, rgba }] of Object.entries(expected.decoded))
  test(`${name} is decoded as Pillow does it`, async () => {
    const { width, height, data } = await read(name);
    assert.deepEqual([width, height], size);
    assert.deepEqual(Buffer.from(data), Buffer.from(rgba, "base64"));
  });

for (const { filter, size, rgb } of expected.resized)
  test(`${filter} to ${size.join(" x ")} gives Pillow's pixels`, async () => {
    const [width, height] = size;
    const { data } = resized(await read("rgb.png"), { width, height }, filter);
    const found = Buffer.from(data).filter((_, at) => at % 4 !== 3);
    assert.deepEqual(Buffer.from(found), Buffer.from(rgb, "base64"));
  });
