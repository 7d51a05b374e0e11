import { ProjectError } from "../../ground/errors/index.ts";
import {
  CHANNELS,
  FITS,
  LAYOUTS,
  RESAMPLING,
  type PostprocessSettings,
  type PreprocessSettings,
} from "./processing.ts";

const MAX_PIXELS = 16_384;
const MAX_TOP = 10_000;

type Fields = Readonly<Record<string, unknown>>;

/** The settings with their keys in a fixed order, so that equal ones give equal JSON. */
export function printPreprocess(settings: PreprocessSettings): PreprocessSettings {
  const { input, size, channels, layout, scale, mean, std, fit, resample } = settings;
  // JSON leaves out what is undefined
  return { input, size, channels, layout, scale, mean, std, fit, resample } as PreprocessSettings;
}

/** Like `printPreprocess`; the file of labels is not of the description. */
export function printPostprocess({ top, threshold }: PostprocessSettings): PostprocessSettings {
  return { top, threshold } as PostprocessSettings; // as above
}

/** Checks the settings of a description. @throws ProjectError `PROJECT_INVALID` naming the key */
export function parsePreprocess(fields: Fields, file: string): PreprocessSettings {
  const { input, size, channels, layout, scale, mean, std, fit, resample } = fields;
  const read = settingsReader(file, "preprocess");
  return {
    ...read.maybe("input", input, "a text", isText),
    ...read.maybe("size", size, `two whole numbers from 1 to ${MAX_PIXELS}`, isSize),
    ...read.maybe("channels", channels, `one of ${CHANNELS.join(", ")}`, isOneOf(CHANNELS)),
    ...read.maybe("layout", layout, `one of ${LAYOUTS.join(", ")}`, isOneOf(LAYOUTS)),
    ...read.maybe("scale", scale, "a number", isNumber),
    ...read.maybe("mean", mean, "1 to 4 numbers", isByChannel),
    ...read.maybe("std", std, "1 to 4 numbers", isByChannel),
    ...read.maybe("fit", fit, `one of ${FITS.join(", ")}`, isOneOf(FITS)),
    ...read.maybe("resample", resample, `one of ${RESAMPLING.join(", ")}`, isOneOf(RESAMPLING)),
  };
}

/** Checks the settings of a description. @throws ProjectError `PROJECT_INVALID` naming the key */
export function parsePostprocess({ top, threshold }: Fields, file: string): PostprocessSettings {
  const read = settingsReader(file, "postprocess");
  return {
    ...read.maybe("top", top, `a whole number from 1 to ${MAX_TOP}`, isTop),
    ...read.maybe("threshold", threshold, "a number from 0 to 1", isShare),
  };
}

function settingsReader(file: string, part: string) {
  return {
    maybe<K extends string, T>(
      key: K,
      value: unknown,
      want: string,
      isRight: (value: unknown) => value is T,
    ): { readonly [P in K]?: T } {
      if (value === undefined) return {};
      if (isRight(value)) return { [key]: value } as { readonly [P in K]?: T }; // a computed key has the type string
      const keyPath = `${part}.${key}`;
      throw new ProjectError("PROJECT_INVALID", `read "${file}": ${keyPath} is not ${want}`, {
        file,
        keyPath,
      });
    },
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isShare(value: unknown): value is number {
  return isNumber(value) && value >= 0 && value <= 1;
}

function isTop(value: unknown): value is number {
  return isNumber(value) && Number.isInteger(value) && value >= 1 && value <= MAX_TOP;
}

function isSize(value: unknown): value is readonly [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every(isPixels);
}

function isPixels(value: unknown): boolean {
  return isNumber(value) && Number.isInteger(value) && value >= 1 && value <= MAX_PIXELS;
}

function isByChannel(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length >= 1 && value.length <= 4 && value.every(isNumber);
}

function isOneOf<T extends string>(known: readonly T[]): (value: unknown) => value is T {
  return (value): value is T => known.some((one) => one === value);
}
