import assert from "node:assert/strict";
import { test } from "node:test";
import type { TensorSpec } from "../server.ts";
import { tensorOfPixels } from "./picture.ts";
import { pictureLayout } from "../../../src/serving/calls/index.ts";

test("pixels lie by channels or by places, scaled as is wanted, and grey is their luma", () => {
  const data = new Uint8ClampedArray(4 * 64);
  data.set([255, 128, 0, 255], 0);
  data.set([10, 20, 30, 255], 4);
  const pixels = { width: 8, height: 8, data, colorSpace: "srgb" } as const;
  const values = (spec: Omit<TensorSpec, "name">, scale: "bytes" | "unit" | "signed"): unknown => {
    const named = { ...spec, name: "x" };
    const layout = pictureLayout(named);
    assert.ok(layout !== undefined);
    return tensorOfPixels(named, layout, { pixels, scale }).literals;
  };
  const last = values({ datatype: "UINT8", shape: [8, 8, 3] }, "bytes") as string[];
  assert.deepEqual(last.slice(0, 6), ["255", "128", "0", "10", "20", "30"]);
  const first = values({ datatype: "FP32", shape: [3, 8, 8] }, "unit") as string[];
  assert.deepEqual([first[0], first[64], first[128], first[1]], ["1", "0.50196", "0", "0.03922"]);
  const grey = values({ datatype: "FP32", shape: [1, 8, 8] }, "signed") as string[];
  assert.deepEqual([grey[0], grey[2]], [String(Number((151 / 127.5 - 1).toFixed(5))), "-1"]);
});
