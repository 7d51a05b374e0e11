import type { Resampling } from "../description/index.ts";
import type { Pixels } from "./pixels.ts";

/** How far a filter reaches, in pixels of the smaller picture, and its weight at a distance. */
interface Filter {
  readonly reach: number;
  readonly weight: (distance: number) => number;
}

/** As Pillow has them. @see Pillow, src/libImaging/Resample.c */
const FILTERS: Readonly<Record<Exclude<Resampling, "nearest">, Filter>> = {
  bilinear: { reach: 1, weight: (distance) => Math.max(0, 1 - Math.abs(distance)) },
  bicubic: { reach: 2, weight: (distance) => cubic(Math.abs(distance)) },
};

const CUBIC = -0.5;

function cubic(x: number): number {
  if (x < 1) return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * CUBIC : 0;
}

/** Bits behind the point of a weight: eight stay for the value, two are spare. */
const PRECISION = 22;
const HALF = 2 ** (PRECISION - 1);

/**
 * A picture in another size, as Pillow's `resize` makes it, to the bit where it is opaque: first along rows, then along columns, each
 * rounded to bytes. When it becomes smaller the filter covers all pixels that go into one.
 */
export function resized(
  pixels: Pixels,
  size: { readonly width: number; readonly height: number },
  resample: Resampling,
): Pixels {
  const { width, height } = size;
  if (pixels.width === width && pixels.height === height) return pixels;
  if (resample === "nearest") return nearest(pixels, size);
  const filter = FILTERS[resample];
  const wide = pixels.width === width ? pixels : alongRows(pixels, width, filter);
  return wide.height === height ? wide : alongColumns(wide, height, filter);
}

function nearest(
  { width, height, data }: Pixels,
  size: { readonly width: number; readonly height: number },
): Pixels {
  const out = new Uint8Array(4 * size.width * size.height);
  const columns = nearestOf(width, size.width);
  nearestOf(height, size.height).forEach((row, y) =>
    columns.forEach((column, x) => {
      const from = 4 * (row * width + column);
      out.set(data.subarray(from, from + 4), 4 * (y * size.width + x));
    }),
  );
  return { ...size, data: out };
}

/** Sums up steps, as Pillow does, so that middles between two pixels are rounded alike. @see Pillow, src/libImaging/Geometry.c */
function nearestOf(from: number, to: number): readonly number[] {
  const step = from / to;
  let place = step / 2;
  return Array.from({ length: to }, () => {
    const index = Math.min(from - 1, Math.trunc(place));
    place += step;
    return index;
  });
}

/** The pixels that go into one of the new ones, with whole-numbered weights that add up to `2 ** PRECISION`, nearly. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

function tapsOf(from: number, to: number, { reach, weight }: Filter): readonly Taps[] {
  const scale = from / to;
  const spread = Math.max(scale, 1);
  const support = reach * spread;
  return Array.from({ length: to }, (_, index) => {
    const center = (index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(from, Math.trunc(center + support + 0.5));
    const raw = Array.from({ length: end - first }, (_unused, at) =>
      weight((at + first - center + 0.5) / spread),
    );
    const sum = raw.reduce((total, one) => total + one, 0);
    return { first, weights: raw.map((one) => fixed(sum === 0 ? one : one / sum)) };
  });
}

function fixed(weight: number): number {
  return Math.trunc((weight < 0 ? -0.5 : 0.5) + weight * 2 ** PRECISION);
}

/** A sum of weighted bytes as a byte. Sums go beyond 32 bits where weights are negative, so that shifts will not do. */
function byteOf(sum: number): number {
  const value = Math.floor((sum + HALF) / 2 ** PRECISION);
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

function alongRows({ width, height, data }: Pixels, to: number, filter: Filter): Pixels {
  const taps = tapsOf(width, to, filter);
  const out = new Uint8Array(4 * to * height);
  for (let y = 0; y < height; y += 1)
    taps.forEach(({ first, weights }, x) => {
      const at = 4 * (y * width + first);
      mix({ data, at, step: 4, weights }, out, 4 * (y * to + x));
    });
  return { width: to, height, data: out };
}

function alongColumns({ width, height, data }: Pixels, to: number, filter: Filter): Pixels {
  const out = new Uint8Array(4 * width * to);
  tapsOf(height, to, filter).forEach(({ first, weights }, y) => {
    for (let x = 0; x < width; x += 1) {
      const at = 4 * (first * width + x);
      mix({ data, at, step: 4 * width, weights }, out, 4 * (y * width + x));
    }
  });
  return { width, height: to, data: out };
}

/** What is mixed into one pixel: `weights.length` pixels, `step` bytes from each to the next. */
interface Mixed {
  readonly data: Uint8Array;
  readonly at: number;
  readonly step: number;
  readonly weights: readonly number[];
}

function mix({ data, at, step, weights }: Mixed, out: Uint8Array, to: number): void {
  let [red, green, blue, opacity] = [0, 0, 0, 0];
  for (let index = 0, from = at; index < weights.length; index += 1, from += step) {
    const weight = weights[index] ?? 0;
    red += weight * (data[from] ?? 0);
    green += weight * (data[from + 1] ?? 0);
    blue += weight * (data[from + 2] ?? 0);
    opacity += weight * (data[from + 3] ?? 0);
  }
  out[to] = byteOf(red);
  out[to + 1] = byteOf(green);
  out[to + 2] = byteOf(blue);
  out[to + 3] = byteOf(opacity);
}
