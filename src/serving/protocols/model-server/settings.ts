import {
  CHANNELS,
  FITS,
  LAYOUTS,
  RESAMPLING,
  type PostprocessSettings,
  type PreprocessSettings,
} from "../../../models/description/index.ts";
import { requestInvalid, shortName } from "../request-errors.ts";

/** What a request may say beside its inputs: in the query, in fields of a form, in `parameters` of JSON. */
export interface RequestSettings {
  readonly preprocess: PreprocessSettings;
  readonly postprocess: Pick<PostprocessSettings, "top" | "threshold">;
  /** Outputs that the answer holds; none of them for an empty list. Default: all. */
  readonly outputs?: readonly string[];
}

/** Settings by name, as text. */
export type SettingTexts = ReadonlyMap<string, string>;

type Part = Readonly<Record<string, unknown>>;

const PREPROCESS: Readonly<Record<string, (text: string, name: string) => Part>> = {
  input: (text) => ({ input: text }),
  size: (text, name) => ({ size: sizeIn(text, name) }),
  channels: (text, name) => ({ channels: oneOf(CHANNELS, text, name) }),
  layout: (text, name) => ({ layout: oneOf(LAYOUTS, text, name) }),
  scale: (text, name) => ({ scale: scaleIn(text, name) }),
  mean: (text, name) => ({ mean: numbersIn(text, name) }),
  std: (text, name) => ({ std: numbersIn(text, name) }),
  fit: (text, name) => ({ fit: oneOf(FITS, text, name) }),
  resample: (text, name) => ({ resample: oneOf(RESAMPLING, text, name) }),
};

const POSTPROCESS: Readonly<Record<string, (text: string, name: string) => Part>> = {
  top: (text, name) => ({ top: wholeIn(text, name, 10_000) }),
  threshold: (text, name) => ({ threshold: shareIn(text, name) }),
};

/** Names that a query may have beside the settings. */
const OTHERS: readonly string[] = ["outputs"];

/** Names of all settings. */
export const SETTING_NAMES: readonly string[] = [
  ...Object.keys(PREPROCESS),
  ...Object.keys(POSTPROCESS),
  ...OTHERS,
];

/** Reads settings. @throws InferenceError `REQUEST_INVALID` naming the one that is wrong, or is none */
export function readSettings(texts: SettingTexts): RequestSettings {
  let preprocess: PreprocessSettings = {};
  let postprocess: RequestSettings["postprocess"] = {};
  for (const [name, text] of texts) {
    // The tables give each name a value of its own type.
    if (Object.hasOwn(PREPROCESS, name))
      preprocess = { ...preprocess, ...PREPROCESS[name]?.(text, name) };
    else if (Object.hasOwn(POSTPROCESS, name))
      postprocess = { ...postprocess, ...POSTPROCESS[name]?.(text, name) };
    else if (!OTHERS.includes(name))
      throw requestInvalid(
        `there is no setting "${shortName(name)}"`,
        `settings are ${SETTING_NAMES.join(", ")}`,
      );
  }
  const outputs = texts.get("outputs");
  return {
    preprocess,
    postprocess,
    ...(outputs !== undefined && { outputs: namesIn(outputs) }),
  };
}

function namesIn(text: string): readonly string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "none");
}

function wrong(name: string, text: string, want: string): Error {
  return requestInvalid(`the setting "${name}" is "${shortName(text)}", and ${want} is wanted`);
}

function numberIn(text: string, name: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw wrong(name, text, "a number");
  return value;
}

function wholeIn(text: string, name: string, most: number): number {
  const value = numberIn(text, name);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw wrong(name, text, `a whole number from 1 to ${most}`);
  return value;
}

function shareIn(text: string, name: string): number {
  const value = numberIn(text, name);
  if (value < 0 || value > 1) throw wrong(name, text, "a number from 0 to 1");
  return value;
}

function scaleIn(text: string, name: string): number {
  const parts = /^1\/([1-9][0-9]{0,6})$/.exec(text.trim())?.[1];
  return parts === undefined ? numberIn(text, name) : 1 / Number(parts);
}

function numbersIn(text: string, name: string): readonly number[] {
  const values = text.split(",").map((part) => numberIn(part, name));
  if (values.length > 4) throw wrong(name, text, "one number, or one for each channel");
  return values;
}

function sizeIn(text: string, name: string): readonly [number, number] {
  const [height = "", width = "", ...more] = text.split(/[x,]/);
  if (width === "" || more.length > 0) throw wrong(name, text, "HEIGHTxWIDTH");
  return [wholeIn(height, name, 16_384), wholeIn(width, name, 16_384)];
}

function oneOf<T extends string>(known: readonly T[], text: string, name: string): T {
  const found = known.find((one) => one.toLowerCase() === text.trim().toLowerCase());
  if (found === undefined) throw wrong(name, text, `one of ${known.join(", ")}`);
  return found;
}
