/** What a picture's channels are, in their order. */
export const CHANNELS = ["grey", "rgb", "bgr", "rgba"] as const;
export type Channels = (typeof CHANNELS)[number];

/** Order of axes: batch, height, width and channels. */
export const LAYOUTS = ["NHWC", "NCHW"] as const;
export type Layout = (typeof LAYOUTS)[number];

/** How a picture of another shape comes to the size that is wanted: stretched, cut at the longer side, or with black borders. */
export const FITS = ["stretch", "crop", "pad"] as const;
export type Fit = (typeof FITS)[number];

/** Filters that change the size of a picture, as Pillow has them. */
export const RESAMPLING = ["nearest", "bilinear", "bicubic"] as const;
export type Resampling = (typeof RESAMPLING)[number];

/** How an uploaded picture becomes the tensor of an input; what is absent follows from the input's shape and datatype. */
export interface PreprocessSettings {
  /** The input that takes the picture. Default: the only one that can. */
  readonly input?: string;
  /** Height and width, in pixels. */
  readonly size?: readonly [height: number, width: number];
  readonly channels?: Channels;
  readonly layout?: Layout;
  /** Each channel, 0 to 255, is multiplied by it; then `mean` is taken off, and `std` divides. */
  readonly scale?: number;
  /** One for all channels, or one for each. Default 0. */
  readonly mean?: readonly number[];
  /** Like `mean`. Default 1. */
  readonly std?: readonly number[];
  /** Default `stretch`. */
  readonly fit?: Fit;
  /** Default `bilinear`. */
  readonly resample?: Resampling;
}

/** What is made of a model's outputs beside the numbers themselves. */
export interface PostprocessSettings {
  /** Classes in an answer, best first. Default 5. */
  readonly top?: number;
  /** Score from which on a found object is told, 0 to 1. Default 0.5. */
  readonly threshold?: number;
  /** A file with the names of classes. In a project file only: what it holds stands in the description's `labels`. */
  readonly labels?: string;
}
