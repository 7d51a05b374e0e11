import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../../src/ground/process/index.ts";

const MIB = 2 ** 20;
// Buffers wait for the collector; what matters is that it is the same for 2 and for 8 GiB.
const LARGEST_MIB = 300;

for (const scenario of ["copy", "push-unknown", "tar"]) {
  test(`${scenario}: two gigabytes pass through with less than ${LARGEST_MIB} MiB of memory`, async () => {
    const { stdout } = await run(
      [
        process.execPath,
        join(import.meta.dirname, "../support/move-much.ts"),
        scenario,
        String(2 * 2 ** 30),
      ],
      { timeoutMs: 120_000 },
    );
    const { bytes, maxRssBytes } = JSON.parse(stdout.toString()) as {
      readonly bytes: number;
      readonly maxRssBytes: number;
    };
    assert.ok(bytes >= 2 * 2 ** 30, `${bytes} bytes passed`);
    assert.ok(maxRssBytes < LARGEST_MIB * MIB, `${Math.round(maxRssBytes / MIB)} MiB at the most`);
  });
}
