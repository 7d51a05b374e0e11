import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { isToolError } from "../../src/ground/errors/index.ts";
import { run } from "../../src/ground/process/index.ts";
import { findPeer, withoutPeer } from "../support/peers.ts";

const ROOT = resolve(import.meta.dirname, "../..");

test("the demo trains, packs, pushes, runs and predicts as the libraries do, for every example", async (t) => {
  if (findPeer("apt-get") === undefined) return withoutPeer(t, '"apt-get" is not installed');
  const { stdout } = await run([process.execPath, "scripts/demo.js"], {
    cwd: ROOT,
    timeoutMs: 480_000,
    signal: t.signal,
  }).catch((error: unknown) => {
    throw new Error(isToolError(error) ? `${error.message}\n${error.hint ?? ""}` : String(error), {
      cause: error,
    });
  });
  const text = stdout.toString();
  assert.match(
    text,
    /iris \[5\.1,3\.5,1\.4,0\.2\] is setosa; 15 rows equal scikit-learn's own answers/,
  );
  assert.match(text, /the first image is a 0; 18 images equal scikit-learn's own answers/);
  assert.match(text, /iris@sha256:[0-9a-f]{64}/, "the image is named by its digest");
});
