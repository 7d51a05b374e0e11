import type { Datatype, TensorSpec } from "../server.ts";
import type { PictureLayout, TensorValue } from "../../../src/serving/calls/index.ts";

/** What bytes of a pixel become. */
const SCALES = ["bytes", "unit", "signed", "imagenet"] as const;
export type Scale = (typeof SCALES)[number];

/** Who makes the values: the server by the project's settings, or the browser in one of the ways above. */
export type Way = "server" | Scale;
export const WAYS: readonly Way[] = ["server", ...SCALES];

/** The ways that a form offers. */
export function waysFor(isPrepared: boolean): readonly Way[] {
  return isPrepared ? WAYS : SCALES;
}

/** What the browser does for a way; what stands in for it in a request of numbers is the default. */
export function scaleOf(way: Way, datatype: Datatype): Scale {
  return way === "server" ? defaultScale(datatype) : way;
}

const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];
const DIGITS = 5;

/** Bytes for inputs of integers, 0 to 1 for the others. */
export function defaultScale(datatype: Datatype): Scale {
  return /^U?INT/.test(datatype) ? "bytes" : "unit";
}

function scaled(byte: number, scale: Scale, channel: number): string {
  switch (scale) {
    case "bytes":
      return String(byte);
    case "unit":
      return short(byte / 255);
    case "signed":
      return short(byte / 127.5 - 1);
    case "imagenet":
      return short((byte / 255 - (MEAN[channel] ?? 0.5)) / (DEVIATION[channel] ?? 0.25));
  }
}

function short(value: number): string {
  return String(Number(value.toFixed(DIGITS)));
}

/** What of a canvas is needed. */
export type Pixels = Pick<ImageData, "width" | "height" | "data">;

/** The tensor of a picture that has the layout's size already. Grey is the luma of Rec. 601, as Pillow has it. */
export function tensorOfPixels(
  spec: TensorSpec,
  layout: PictureLayout,
  { pixels, scale }: { readonly pixels: Pixels; readonly scale: Scale },
): TensorValue {
  const { channels, isChannelsFirst, shape } = layout;
  const count = pixels.width * pixels.height;
  const literals: string[] = Array.from({ length: count * channels }, () => "0");
  for (let pixel = 0; pixel < count; pixel += 1)
    for (let channel = 0; channel < channels; channel += 1) {
      const at = isChannelsFirst ? channel * count + pixel : pixel * channels + channel;
      literals[at] = scaled(byteAt(pixels.data, pixel, { channel, channels }), scale, channel);
    }
  return { name: spec.name, datatype: spec.datatype, shape, literals };
}

function byteAt(
  data: Pixels["data"],
  pixel: number,
  { channel, channels }: { readonly channel: number; readonly channels: number },
): number {
  const at = (index: number): number => data[4 * pixel + index] ?? 0;
  return channels === 1 ? Math.round(0.299 * at(0) + 0.587 * at(1) + 0.114 * at(2)) : at(channel);
}

/** Pixels as a file without loss. */
export function pngOf(pixels: ImageData): Blob {
  const canvas = document.createElement("canvas");
  canvas.width = pixels.width;
  canvas.height = pixels.height;
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
  const [, base64 = ""] = canvas.toDataURL("image/png").split(",");
  const bytes = Uint8Array.from(atob(base64), (character) => character.codePointAt(0) ?? 0);
  return new Blob([bytes], { type: "image/png" });
}

/** Draws a picture into the size that is wanted. */
export function resized(
  source: CanvasImageSource,
  { width, height }: Pick<PictureLayout, "width" | "height">,
): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("this browser has no canvas");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#000";
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}
