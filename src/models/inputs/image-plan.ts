import { InferenceError } from "../../ground/errors/index.ts";
import type { Channels, Layout, PreprocessSettings } from "../description/index.ts";
import { itemBytes, shapeText, type Datatype, type TensorSpec } from "../tensor/index.ts";

/** How a picture becomes the tensor of one input. */
export interface ImagePlan {
  readonly name: string;
  readonly datatype: Datatype;
  /** Absent where the model takes pictures of any size. */
  readonly height?: number;
  readonly width?: number;
  readonly channels: Channels;
  readonly layout: Layout;
  readonly scale: number;
  /** One for each channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly fit: NonNullable<PreprocessSettings["fit"]>;
  readonly resample: NonNullable<PreprocessSettings["resample"]>;
  /** Which axes of the tensor stand for what, the batch's included; `flat` is height, width and channels in one. */
  readonly axes: readonly Axis[];
}

type Axis = "batch" | "height" | "width" | "channels" | "flat";

/** `encoded`: the input takes the bytes of the file as they are. */
export type ImageWay =
  | { readonly kind: "pixels"; readonly plan: ImagePlan }
  | { readonly kind: "encoded"; readonly name: string; readonly shape: readonly number[] };

/** What a kind of model says of its pictures beside their shape. */
export interface ImageDefaults {
  /** True where models of this kind take pixels as they are, blue first, as Caffe's do. */
  readonly isRawBlueFirst?: boolean;
}

const COUNTS: Readonly<Record<Channels, number>> = { grey: 1, rgb: 3, bgr: 3, rgba: 4 };
const NAMED: Readonly<Record<number, Channels>> = { 1: "grey", 3: "rgb", 4: "rgba" };
/** Of one picture as it goes into the model. */
const MAX_ELEMENTS = 2 ** 28;

/** True when `imageWay` finds a way for the input. */
export function takesImage(
  spec: TensorSpec,
  settings: PreprocessSettings = {},
  defaults: ImageDefaults = {},
): boolean {
  try {
    imageWay(spec, settings, defaults);
    return true;
  } catch (error) {
    if (error instanceof InferenceError) return false;
    throw error;
  }
}

/**
 * How a picture becomes the tensor that an input takes: size, channels and layout follow from its shape, scale from its datatype, and
 * settings go before all of it.
 * @throws InferenceError `TENSOR_INVALID` when the shape is none of a picture, or the settings do not fit it
 */
export function imageWay(
  spec: TensorSpec,
  settings: PreprocessSettings = {},
  defaults: ImageDefaults = {},
): ImageWay {
  const { name, datatype, shape } = spec;
  if (datatype === "BYTES" && shape.length < 2)
    return { kind: "encoded", name, shape: shape.length === 0 ? [] : [1] };
  if (datatype === "BYTES" || datatype === "BOOL")
    throw noImage(spec, `${datatype} of this shape holds no picture`);
  const plan = planOf(spec, settings, defaults);
  checkPlan(spec, plan);
  return { kind: "pixels", plan };
}

function planOf(
  spec: TensorSpec,
  settings: PreprocessSettings,
  defaults: ImageDefaults,
): ImagePlan {
  const found = spec.isRankUnknown === true ? fromSettings(settings) : fromShape(spec, settings);
  const { height, width, layout, axes } = found;
  const { name, datatype } = spec;
  const channels = channelsOf(spec, found.channels, settings, defaults);
  const { fit = "stretch", resample = "bilinear", mean = [0], std = [1] } = settings;
  return {
    ...{ name, datatype, channels, layout, axes, fit, resample },
    ...(height !== undefined && { height }),
    ...(width !== undefined && { width }),
    scale: settings.scale ?? usualScale(datatype, defaults),
    mean: byChannel(spec, "mean", mean, channels),
    std: byChannel(spec, "std", std, channels),
  };
}

function usualScale(datatype: Datatype, { isRawBlueFirst = false }: ImageDefaults): number {
  return isRawBlueFirst || !/^(?:FP|BF)/.test(datatype) ? 1 : 1 / 255;
}

interface ImageAxes {
  readonly axes: readonly Axis[];
  readonly layout: Layout;
  readonly height?: number | undefined;
  readonly width?: number | undefined;
  readonly channels?: number | undefined;
}

/** Of a model that says nothing of its shape the settings say all. */
function fromSettings({ size, layout = "NHWC", channels }: PreprocessSettings): ImageAxes {
  return {
    axes: axesIn(layout),
    layout,
    height: size?.[0],
    width: size?.[1],
    ...(channels !== undefined && { channels: COUNTS[channels] }),
  };
}

function axesIn(layout: Layout): readonly Axis[] {
  return layout === "NCHW"
    ? ["batch", "channels", "height", "width"]
    : ["batch", "height", "width", "channels"];
}

function fromShape(spec: TensorSpec, settings: PreprocessSettings): ImageAxes {
  const { shape } = spec;
  if (shape.length === 4)
    return withAxes(spec, axesIn(layoutOf(shape.slice(1), settings)), settings);
  if (shape.length === 3) return fromThree(spec, settings);
  if (shape.length === 2 && isPair(shape, settings))
    return withAxes(spec, ["height", "width"], settings);
  if (shape.length === 2 || shape.length === 1) return fromFlat(spec, settings);
  throw noImage(spec, `a shape of ${shape.length} axes holds no picture`);
}

/** Channels last where the last axis can be channels, unless only the first can. */
function layoutOf(
  [first = -1, , last = -1]: readonly number[],
  { layout }: PreprocessSettings,
): Layout {
  return layout ?? (isChannels(first) && !isChannels(last) ? "NCHW" : "NHWC");
}

function isChannels(axis: number): boolean {
  return NAMED[axis] !== undefined;
}

/** A batch of grey pictures, or one picture with its channels. */
function fromThree(spec: TensorSpec, settings: PreprocessSettings): ImageAxes {
  const { shape } = spec;
  const [first = -1, , last = -1] = shape;
  if (!isChannels(first) && !isChannels(last))
    return withAxes(spec, ["batch", "height", "width"], settings);
  if (first === 1 && !isChannels(last))
    return withAxes(spec, ["batch", "height", "width"], settings);
  return withAxes(spec, axesIn(layoutOf(shape, settings)).slice(1), settings);
}

/** One grey picture without a batch: only the settings can say so, since a batch of rows looks the same. */
function isPair(
  [first = -1, second = -1]: readonly number[],
  { size }: PreprocessSettings,
): boolean {
  return size?.[0] === first && size[1] === second;
}

function withAxes(
  spec: TensorSpec,
  axes: readonly Axis[],
  settings: PreprocessSettings,
): ImageAxes {
  const known = (axis: Axis): number | undefined => {
    const size = spec.shape[axes.indexOf(axis)];
    return size === undefined || size === -1 ? undefined : size;
  };
  const { size } = settings;
  const layout = axes.includes("channels")
    ? axes.indexOf("channels") < axes.indexOf("height")
      ? "NCHW"
      : "NHWC"
    : (settings.layout ?? "NHWC");
  return {
    axes,
    layout,
    height: agreed(spec, "height", known("height"), size?.[0]),
    width: agreed(spec, "width", known("width"), size?.[1]),
    channels: axes.includes("channels") ? known("channels") : 1,
  };
}

/** What the model and the settings say of one axis. */
function agreed(
  spec: TensorSpec,
  axis: string,
  own: number | undefined,
  said: number | undefined,
): number | undefined {
  if (own !== undefined && said !== undefined && own !== said)
    throw noImage(spec, `its ${axis} is ${own}, and preprocess says ${said}`);
  return own ?? said;
}

/** Pixels of a side from which on a square of numbers is taken for a picture: fewer are features of something else. */
const MIN_SIDE = 8;

/** A row of numbers that is a picture: the settings say its size, or it is a square. */
function fromFlat(spec: TensorSpec, settings: PreprocessSettings): ImageAxes {
  const { shape } = spec;
  const length = shape.at(-1) ?? -1;
  const axes: readonly Axis[] = shape.length === 2 ? ["batch", "flat"] : ["flat"];
  const { layout = "NHWC", size, channels } = settings;
  const counts = channels === undefined ? [1, 3, 4] : [COUNTS[channels]];
  for (const count of counts) {
    const [height, width] = size ?? [Math.sqrt(length / count), Math.sqrt(length / count)];
    const isLikely = size !== undefined || (Number.isInteger(height) && height >= MIN_SIDE);
    if (isLikely && height * width * count === length)
      return { axes, layout, height, width, channels: count };
  }
  throw noImage(
    spec,
    length === -1
      ? "nothing says how large a picture it takes"
      : `${length} numbers in a row are no square picture`,
  );
}

function channelsOf(
  spec: TensorSpec,
  count: number | undefined,
  { channels }: PreprocessSettings,
  { isRawBlueFirst = false }: ImageDefaults,
): Channels {
  const own = count === undefined ? "rgb" : NAMED[count];
  if (own === undefined)
    throw noImage(spec, `${count} channels are no picture's: 1, 3 and 4 can be`);
  if (channels === undefined) return own === "rgb" && isRawBlueFirst ? "bgr" : own;
  if (count !== undefined && COUNTS[channels] !== count)
    throw noImage(spec, `it takes ${count} channels, and preprocess says ${channels}`);
  return channels;
}

function byChannel(
  spec: TensorSpec,
  what: "mean" | "std",
  values: readonly number[],
  channels: Channels,
): readonly number[] {
  const count = COUNTS[channels];
  const [only = 0] = values;
  const all = values.length === 1 ? Array.from({ length: count }, () => only) : values;
  if (all.length !== count)
    throw noImage(
      spec,
      `${what} has ${values.length} numbers, and a picture has ${count} channels`,
    );
  if (what === "std" && all.includes(0)) throw noImage(spec, "std is 0");
  return all;
}

function checkPlan(
  spec: TensorSpec,
  { height = 1, width = 1, channels, datatype }: ImagePlan,
): void {
  const elements = height * width * COUNTS[channels];
  if (elements * itemBytes(datatype) > MAX_ELEMENTS * 4)
    throw noImage(spec, "the picture that it takes is too large");
}

/** Channels of a picture. */
export function channelCount(channels: Channels): number {
  return COUNTS[channels];
}

function noImage(spec: TensorSpec, why: string): InferenceError {
  const { name, datatype, shape } = spec;
  const expected = `${datatype} ${shapeText(shape)}`;
  return new InferenceError(
    "TENSOR_INVALID",
    `make the input "${name}" (${expected}) of an image: ${why}`,
    {
      ...{ tensor: name, expected, actual: "an image" },
      hint: "say what it takes under preprocess: size, channels, layout; or send numbers",
    },
  );
}
