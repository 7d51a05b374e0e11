import { bytesOf, type Datatype, type Tensor } from "../tensor/index.ts";
import { castTensor } from "../tensor/index.ts";
import type { Channels } from "../description/index.ts";
import { channelCount, type ImagePlan } from "./image-plan.ts";
import { cropped, type Pixels } from "./pixels.ts";
import { resized } from "./resize.ts";

/** The tensor of an input, made of a picture that stands upright: one of a batch where the input has an axis for it. */
export function tensorOfPixels(pixels: Pixels, plan: ImagePlan): Tensor {
  const { height = pixels.height, width = pixels.width } = plan;
  const fitted = fittedTo(pixels, { height, width }, plan);
  const values = valuesOf(fitted, plan);
  const count = channelCount(plan.channels);
  const sizes = { batch: 1, height, width, channels: count, flat: height * width * count };
  return inDatatype(
    {
      name: plan.name,
      datatype: "FP32",
      shape: plan.axes.map((axis) => sizes[axis]),
      data: bytesOf(values),
    },
    plan.datatype,
  );
}

interface Size {
  readonly height: number;
  readonly width: number;
}

function fittedTo(pixels: Pixels, size: Size, { fit, resample }: ImagePlan): Pixels {
  if (fit === "stretch") return resized(pixels, size, resample);
  const ratios = [size.width / pixels.width, size.height / pixels.height];
  const ratio = fit === "crop" ? Math.max(...ratios) : Math.min(...ratios);
  const scaled = resized(
    pixels,
    {
      width: Math.max(1, Math.round(pixels.width * ratio)),
      height: Math.max(1, Math.round(pixels.height * ratio)),
    },
    resample,
  );
  return cropped(scaled, {
    left: Math.round((scaled.width - size.width) / 2),
    top: Math.round((scaled.height - size.height) / 2),
    ...size,
  });
}

/** Offsets of the channels within a pixel. */
const OFFSETS: Readonly<Record<Exclude<Channels, "grey">, readonly number[]>> = {
  rgb: [0, 1, 2],
  bgr: [2, 1, 0],
  rgba: [0, 1, 2, 3],
};

/** Scaled and normalised, in the order of the layout. */
function valuesOf({ width, height, data }: Pixels, plan: ImagePlan): Float32Array {
  const { channels, layout, scale, mean, std } = plan;
  const count = channelCount(channels);
  const size = width * height;
  const values = new Float32Array(size * count);
  const [step, stride] = layout === "NCHW" ? [1, size] : [count, 1];
  for (let channel = 0; channel < count; channel += 1) {
    const byteAt = channelReader(data, channels, channel);
    const [less, divisor] = [mean[channel] ?? 0, std[channel] ?? 1];
    for (let pixel = 0, to = channel * stride; pixel < size; pixel += 1, to += step)
      values[to] = (byteAt(4 * pixel) * scale - less) / divisor;
  }
  return values;
}

function channelReader(
  data: Uint8Array,
  channels: Channels,
  channel: number,
): (at: number) => number {
  if (channels === "grey") return (at) => luma(data, at);
  const offset = OFFSETS[channels][channel] ?? 0;
  return (at) => data[at + offset] ?? 0;
}

/** Grey as Pillow makes it, which is ITU-R 601-2. @see Pillow, src/libImaging/Convert.c */
function luma(data: Uint8Array, at: number): number {
  const sum = (data[at] ?? 0) * 19_595 + (data[at + 1] ?? 0) * 38_470 + (data[at + 2] ?? 0) * 7471;
  return (sum + 32_768) >> 16;
}

/** Whole numbers are cut to what the datatype holds, as a model of bytes wants it. */
function inDatatype(tensor: Tensor, datatype: Datatype): Tensor {
  if (/^(?:FP|BF)/.test(datatype)) return castTensor(tensor, datatype);
  const values = new Float32Array(
    tensor.data.buffer as ArrayBuffer, // made above, at offset 0
    tensor.data.byteOffset,
    tensor.data.byteLength / 4,
  );
  const [least, most] = RANGES[datatype] ?? [-(2 ** 31), 2 ** 31 - 1];
  const whole = values.map((value) => Math.min(most, Math.max(least, Math.round(value))));
  return castTensor({ ...tensor, data: bytesOf(whole) }, datatype);
}

const RANGES: Readonly<Partial<Record<Datatype, readonly [least: number, most: number]>>> = {
  UINT8: [0, 255],
  INT8: [-128, 127],
  UINT16: [0, 65_535],
  INT16: [-32_768, 32_767],
  UINT32: [0, 2 ** 24],
  UINT64: [0, 2 ** 24],
};
