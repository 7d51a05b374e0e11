import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import type { PreprocessSettings } from "../description/index.ts";
import { elementsOf, type Datatype } from "../tensor/index.ts";
import { createImageDecoder, imageWay, tensorOfPixels, type ImagePlan } from "./index.ts";

const FIXTURES = resolve(import.meta.dirname, "../../../test/fixtures/images");

function planOf(
  shape: readonly number[],
  settings: PreprocessSettings = {},
  datatype: Datatype = "FP32",
): Partial<ImagePlan> {
  const way = imageWay({ name: "x", datatype, shape }, settings);
  assert.ok(way.kind === "pixels");
  const { height, width, channels, layout, scale, axes } = way.plan;
  return { ...{ channels, layout, scale, axes }, ...(height !== undefined && { height, width }) };
}

const NHWC = ["batch", "height", "width", "channels"];
const NCHW = ["batch", "channels", "height", "width"];

/** Shapes of inputs, and the pictures that they are. */
const SHAPES: readonly (readonly [
  what: string,
  shape: readonly number[],
  settings: PreprocessSettings,
  plan: object,
])[] = [
  [
    "channels last",
    [-1, 224, 192, 3],
    {},
    { axes: NHWC, height: 224, width: 192, channels: "rgb" },
  ],
  ["channels first", [1, 3, 32, 64], {}, { axes: NCHW, height: 32, width: 64, channels: "rgb" }],
  ["grey, channels first", [64, 1, 28, 28], {}, { axes: NCHW, height: 28, channels: "grey" }],
  ["any size", [-1, -1, -1, 3], {}, { axes: NHWC, channels: "rgb" }],
  ["any size, said", [-1, -1, -1, 3], { size: [8, 9] }, { height: 8, width: 9 }],
  ["four channels", [-1, 5, 6, 4], {}, { channels: "rgba" }],
  ["a layout that is said", [-1, 3, 224, 3], { layout: "NCHW" }, { axes: NCHW, width: 3 }],
  ["grey without channels", [-1, 28, 28], {}, { axes: NHWC.slice(0, 3), channels: "grey" }],
  ["one picture without a batch", [3, 8, 9], {}, { axes: NCHW.slice(1), height: 8, width: 9 }],
  [
    "one grey picture",
    [28, 30],
    { size: [28, 30] },
    { axes: ["height", "width"], height: 28, width: 30 },
  ],
  ["a flat square", [-1, 784], {}, { axes: ["batch", "flat"], height: 28, channels: "grey" }],
  ["a flat square of colours", [-1, 3072], {}, { height: 32, channels: "rgb" }],
  ["a flat oblong", [-1, 200], { size: [10, 20] }, { height: 10, width: 20, channels: "grey" }],
];

for (const [what, shape, settings, plan] of SHAPES)
  test(`${what}: ${shape.join(", ")} is a picture`, () => {
    const found = planOf(shape, settings);
    assert.deepEqual(found, { ...found, ...plan });
  });

/** Inputs that no picture becomes, and why. */
const NONE: readonly (readonly [
  shape: readonly number[],
  settings: PreprocessSettings,
  why: RegExp,
])[] = [
  [[-1, 4], {}, /4 numbers in a row are no square picture/],
  [[28, 30], {}, /no square picture/],
  [[-1, 783], {}, /no square picture/],
  [[-1, -1], {}, /nothing says how large/],
  [[-1, 2, 3, 4, 5], {}, /5 axes/],
  [[-1, 28, 28, 2], {}, /2 channels/],
  [[-1, 28, 28, 3], { size: [27, 28] }, /height is 28, and preprocess says 27/],
  [[-1, 28, 28, 3], { channels: "grey" }, /takes 3 channels, and preprocess says grey/],
  [[-1, 28, 28, 3], { mean: [1, 2] }, /mean has 2 numbers/],
  [[-1, 28, 28, 3], { std: [0] }, /std is 0/],
  [[1, 16_000, 16_000, 4], { size: [16_000, 16_000] }, /too large/],
];

for (const [shape, settings, why] of NONE)
  test(`no picture becomes ${shape.join(", ")} with ${JSON.stringify(settings)}`, () => {
    assert.throws(() => planOf(shape, settings), {
      code: "TENSOR_INVALID",
      tensor: "x",
      message: why,
    });
  });

test("fractions are scaled, whole numbers and models of Caffe are not", () => {
  assert.equal(planOf([-1, 8, 8, 3]).scale, 1 / 255);
  assert.equal(planOf([-1, 8, 8, 3], {}, "UINT8").scale, 1);
  assert.equal(planOf([-1, 8, 8, 3], { scale: 2 }, "UINT8").scale, 2);
  const spec = { name: "data", datatype: "FP32", shape: [1, 3, 8, 8] } as const;
  const way = imageWay(spec, {}, { isRawBlueFirst: true });
  assert.ok(way.kind === "pixels");
  assert.deepEqual([way.plan.scale, way.plan.channels], [1, "bgr"]);
});

test("an input of text takes the file as it is", () => {
  for (const shape of [[], [-1]])
    assert.equal(imageWay({ name: "x", datatype: "BYTES", shape }).kind, "encoded");
});

async function valuesOf(
  shape: readonly number[],
  settings: PreprocessSettings,
  datatype: Datatype = "FP32",
): Promise<{ readonly shape: readonly number[]; readonly values: readonly number[] }> {
  const decoder = createImageDecoder();
  const pixels = await decoder.decode(readFileSync(join(FIXTURES, "rgb.png")));
  const way = imageWay({ name: "x", datatype, shape }, settings);
  assert.ok(way.kind === "pixels");
  const tensor = tensorOfPixels(pixels, way.plan);
  return { shape: tensor.shape, values: Array.from(elementsOf(tensor), Number) };
}

/** The pixel at column 2, row 3 of rgb.png is 22, 51, 30. */
const AT = { row: 3, column: 2, rgb: [22, 51, 30] } as const;
const WIDTH = 23;
const HEIGHT = 14;

test("channels are scaled and normalised in the order of the layout", async () => {
  const settings: PreprocessSettings = {
    scale: 1 / 255,
    mean: [0.5, 0.25, 0],
    std: [1, 2, 4],
    channels: "bgr",
  };
  const [red, green, blue] = AT.rgb;
  const wanted = [blue / 255 - 0.5, (green / 255 - 0.25) / 2, red / 255 / 4];
  const last = await valuesOf([-1, HEIGHT, WIDTH, 3], settings);
  const first = await valuesOf([-1, 3, HEIGHT, WIDTH], settings);
  assert.deepEqual(last.shape, [1, HEIGHT, WIDTH, 3]);
  assert.deepEqual(first.shape, [1, 3, HEIGHT, WIDTH]);
  wanted.forEach((value, channel) => {
    const pixel = AT.row * WIDTH + AT.column;
    assert.ok(Math.abs((last.values[3 * pixel + channel] ?? 0) - value) < 1e-6);
    assert.ok(Math.abs((first.values[channel * WIDTH * HEIGHT + pixel] ?? 0) - value) < 1e-6);
  });
});

test("colours become grey as Pillow makes them", async () => {
  const { grey } = JSON.parse(readFileSync(join(FIXTURES, "expected.json"), "utf8")) as {
    readonly grey: string;
  };
  const { values } = await valuesOf([-1, HEIGHT, WIDTH, 1], {}, "UINT8");
  assert.deepEqual(values, [...Buffer.from(grey, "base64")]);
});

test("a picture of another shape is stretched, cut or padded to the size", async () => {
  const size = [7, 7] as const;
  for (const fit of ["stretch", "crop", "pad"] as const) {
    const { shape, values } = await valuesOf([-1, -1, -1, 3], { size, fit }, "UINT8");
    assert.deepEqual(shape, [1, 7, 7, 3]);
    const isTopBlack = values.slice(0, 21).every((value) => value === 0);
    assert.equal(isTopBlack, fit === "pad", fit);
  }
});

test("what a datatype of whole numbers cannot hold is cut to it", async () => {
  const { values } = await valuesOf([-1, HEIGHT, WIDTH, 3], { scale: 2, mean: [50] }, "INT8");
  assert.equal(Math.max(...values), 127);
  assert.equal(Math.min(...values), -50);
});
