import type { Datatype, TensorSpec } from "../../models/tensor/index.ts";

/** Values of an input as they are sent: each one is a JSON literal, so that 64-bit integers stay exact. */
export interface TensorValue {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Row-major, as many as the shape has elements. */
  readonly literals: readonly string[];
}

/** What is wrong with what somebody typed, in words for the dictionary. */
export class ValueError extends Error {
  override readonly name = "ValueError";
}

export function elementsIn(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** `[-1, 4]` as `? × 4`. */
export function shapeText({ shape, isRankUnknown }: TensorSpec): string {
  if (isRankUnknown === true) return "…";
  return shape.length === 0 ? "1" : shape.map((size) => (size < 0 ? "?" : size)).join(" × ");
}

function isNumber(datatype: Datatype): boolean {
  return datatype !== "BYTES" && datatype !== "BOOL";
}

/** How a picture lies in a tensor. */
export interface PictureLayout {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3 | 4;
  readonly isChannelsFirst: boolean;
  /** The shape of one picture, with a batch axis of 1 where the input has one. */
  readonly shape: readonly number[];
}

const DEFAULT_SIDE = 224;
const CHANNELS: readonly number[] = [1, 3, 4];

/** The layout of an input that can be a picture; undefined for others. Axes of any length are 224 pixels. */
export function pictureLayout(spec: TensorSpec): PictureLayout | undefined {
  const { datatype, shape, isRankUnknown } = spec;
  if (!isNumber(datatype) || isRankUnknown === true) return undefined;
  if (isDrawing(shape)) return drawingLayout(shape);
  const hasBatch = shape.length === 4;
  const found = layoutOfAxes(hasBatch ? shape.slice(1) : shape);
  return found === undefined || !hasBatch ? found : { ...found, shape: [1, ...found.shape] };
}

function layoutOfAxes(axes: readonly number[]): PictureLayout | undefined {
  const [a = 0, b = 0, c = 0] = axes;
  if (axes.length !== 3) return undefined;
  if (CHANNELS.includes(c) && isSide(a) && isSide(b)) {
    const [height, width, channels] = [side(a), side(b), channelsOf(c)];
    const shape = [height, width, channels];
    return { height, width, channels, isChannelsFirst: false, shape };
  }
  if (!CHANNELS.includes(a) || !isSide(b) || !isSide(c)) return undefined;
  const [channels, height, width] = [channelsOf(a), side(b), side(c)];
  return { height, width, channels, isChannelsFirst: true, shape: [channels, height, width] };
}

function isSide(size: number): boolean {
  return size < 0 || size >= 8;
}

function side(size: number): number {
  return size < 0 ? DEFAULT_SIDE : size;
}

function channelsOf(count: number): 1 | 3 | 4 {
  return count === 1 ? 1 : count === 3 ? 3 : 4;
}

/** True for a grey picture of 28 × 28, in whatever axes, as handwritten digits come. */
export function isDrawing(shape: readonly number[]): boolean {
  const [batch = 0, ...rest] = shape;
  const isFlat = shape.length === 2 && batch <= 1 && rest[0] === 784;
  const sizes = shape.filter((size) => size !== 1 && size !== -1);
  return isFlat || (sizes.length === 2 && sizes.every((size) => size === 28));
}

function drawingLayout(shape: readonly number[]): PictureLayout {
  const own = shape.map((size) => (size < 0 ? 1 : size));
  return { height: 28, width: 28, channels: 1, isChannelsFirst: true, shape: own };
}

/** Columns of a small table of numbers that people type by hand; undefined where the input is none. */
export function columnsOf({ datatype, shape, isRankUnknown }: TensorSpec): number | undefined {
  const last = shape.at(-1);
  if (!isNumber(datatype) || isRankUnknown === true || shape.length > 2) return undefined;
  if (shape.length === 0) return 1;
  return last !== undefined && last > 0 && last <= MAX_COLUMNS ? last : undefined;
}

const MAX_COLUMNS = 32;
