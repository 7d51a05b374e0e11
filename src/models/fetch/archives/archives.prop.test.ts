import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { packed, tarOf, zipOf } from "../../../../test/support/archives.ts";
import { fetchPlace } from "../../../../test/support/fetch-place.ts";
import { isToolError } from "../../../ground/errors/index.ts";

const FILES = {
  "model/model/saved_model.pb": "graph".repeat(50),
  "model/model/variables/variables.index": "index",
};
const ARCHIVES: Readonly<Record<string, Buffer>> = {
  zip: zipOf(FILES),
  tar: tarOf(FILES),
  "tar.gz": packed(tarOf(FILES), "gzip"),
  "tar.zst": packed(tarOf(FILES), "zstd"),
};

/** Bytes of an archive changed, cut away, or put in. */
function changed(archive: Buffer, changes: readonly (readonly [number, number, number])[]): Buffer {
  let bytes = Buffer.from(archive);
  for (const [place, value, how] of changes) {
    const at = place % Math.max(bytes.length, 1);
    if (how === 0) bytes = bytes.subarray(0, at);
    else if (how === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    else if (how === 2)
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([value]), bytes.subarray(at)]);
    else if (bytes.length > 0) bytes[at] = value;
  }
  return bytes;
}

const changes = fc.array(fc.tuple(fc.nat(100_000), fc.nat(255), fc.nat(8)), {
  minLength: 1,
  maxLength: 6,
});

for (const [name, archive] of Object.entries(ARCHIVES))
  test(`a changed ${name} ends in files below the folder or in a typed error`, async (t) => {
    const outside = await mkdtemp(join(tmpdir(), "slipway-fetch-outside-"));
    t.after(() => rm(outside, { recursive: true, force: true }));
    const place = await fetchPlace(t);
    const file = join(outside, "m.zip");
    await fc.assert(
      fc.asyncProperty(changes, async (list) => {
        await writeFile(file, changed(archive, list));
        await place.fetch({ MODEL_URI: `file://${file}` }).catch((error: unknown) => {
          assert.ok(isToolError(error), String(error));
        });
        assert.deepEqual(await readdir(outside), ["m.zip"]);
        assert.deepEqual(await place.leftovers(), []);
      }),
      { numRuns: 60 },
    );
  });
