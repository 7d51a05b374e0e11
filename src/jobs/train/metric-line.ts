/** A number that a line of output names. */
export interface LineMetric {
  readonly name: string;
  readonly value: number;
}

/** What a line of a training program's output says. */
export interface MetricLine {
  readonly metrics: readonly LineMetric[];
  /** Where training is, when the line says so by one count. */
  readonly step?: number | undefined;
  /** The epoch that begins here, for lines that follow and do not name it. */
  readonly epoch?: number | undefined;
  /** True for a line that closes the epoch that a line before it named. */
  readonly isEpochEnd?: boolean;
}

const NUMBER = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?`;
/** Words that name a measurement wherever they stand; other names count only behind an equals sign or in a known form. */
const MEASURES = String.raw`loss(?:es)?|acc(?:uracy)?(?:@\d+)?|prec(?:ision)?(?:@\d+)?|recall(?:@\d+)?|auc|f1|error|err|mae|mse|rmse|logloss|ppl|perplexity|m?ap|m?iou|dice|psnr|ssim|fid|bleu|wer|cer|reward|score|lr|learning[ _]rate`;
const MODIFIERS = String.raw`train(?:ing)?|val(?:id(?:ation)?)?|test|eval(?:uation)?|average|avg|mean|total|running|best|final`;
const NAMED = String.raw`(?:(?:${MODIFIERS})[ _-]){0,2}(?:[A-Za-z]\w{0,30}_)?(?:${MEASURES})`;

/** `name=1.5`, `name = 1.5`: any name. */
const EQUALS = new RegExp(
  String.raw`(?<![^\s,;|[{(])([A-Za-z_][\w./@-]{0,63})\s?=\s?(${NUMBER})(?![\w.])%?`,
  "g",
);
/** `Loss: 1.5`, `train loss 1.5`, `Accuracy: 9832/10000`: names of measurements. */
const SAID = new RegExp(
  String.raw`(?<![\w@/.-])(${NAMED})(?:\s?:\s?|\s{1,4})(${NUMBER})(?![\w.]|\s?:)(?:\/(\d{1,12})(?![\w/]))?`,
  "gi",
);
/** `loss: 0.5`, `train-logloss:0.5`, `valid_0's l2: 0.5`: any name, in lines whose form is known. */
const COLON = new RegExp(
  String.raw`(?<![\w/.-])([A-Za-z_][\w./@-]{0,63}(?:'s [\w@-]{1,31})?)\s?:\s?(${NUMBER})(?![\w.])`,
  "g",
);

/** A finished epoch as Keras prints it: `1875/1875 [====] - 4s 2ms/step - loss: 0.29`, in Keras 3 with another bar. */
const KERAS = /^\s*(\d{1,9})\/(\d{1,9})\s+(?:\[[=>.]*\]|[━╸╺\s]{5,})/;
/** A round of XGBoost or LightGBM: `[3]` and a tab. */
const BOOSTING = /^\[(\d{1,9})\]\t/;
/** Colours of a terminal, and what Python's logging puts before a text. */
const COLOURS = new RegExp(String.raw`\u001b\[[\d;]*m`, "g");
const LOG_PREFIX = /^(?:DEBUG|INFO|WARNING):[\w.]+:/;
const EPOCH_BEGINS = /^\s*epoch\s+(\d{1,9})\s?\/\s?\d{1,9}\s*$/i;

const STEP_NAMES = ["global_step", "step", "iteration", "iter", "it"] as const;
const COUNTS: ReadonlySet<string> = new Set([...STEP_NAMES, "epoch", "batch"]);
const STEP =
  /(?<![\w-])(global[_ ]step|step|iteration|iter|it|epoch|batch)\b(?:\s?[:=]\s?|\s{0,2})\[?\s{0,4}(\d{1,9}(?:\.\d+)?)(?![\w.])/gi;
/** What a form says beside its measurements: times, counts, rates. */
const NO_MEASURES =
  /^(?:seed|port|rank|world_size|num_\w+|n_\w+|v_num|pid|eta|time|speed|\w*_(?:dir|size|port|seed|version|runtime|per_second)|[A-Z][A-Z0-9_]*)$/;
const KEPT_CAPITALS =
  /^(?:[A-Z]{1,2}\d?|AUC|MAE|MSE|RMSE|MAP|IOU|LOSS|ACC|PPL|WER|CER|BLEU|FID|PSNR|SSIM)$/;

/** Reads one line. Nothing is found in what only looks like a measurement: parsed arguments, paths, times. */
export function readMetricLine(line: string): MetricLine {
  const text = line.replaceAll(COLOURS, "").replace(LOG_PREFIX, "");
  const begins = EPOCH_BEGINS.exec(text);
  if (begins !== null) return { metrics: [], epoch: Number(begins[1]) };
  const dictionary = numbersOfDictionary(text);
  if (dictionary !== undefined) return lineOf(dictionary);
  // What a parser of arguments prints of itself is no measurement.
  if (/\bNamespace\(/.test(text)) return { metrics: [] };
  const boosting = BOOSTING.exec(text);
  if (boosting !== null) return { metrics: measures(colonPairs(text)), step: Number(boosting[1]) };
  const keras = KERAS.exec(text);
  // While an epoch runs Keras draws its line again and again; the last one counts.
  if (keras !== null)
    return keras[1] === keras[2]
      ? { metrics: measures(colonPairs(text)), isEpochEnd: true }
      : { metrics: [] };
  return { metrics: measures([...equalsPairs(text), ...saidPairs(text)]), step: stepOf(text) };
}

function lineOf(pairs: readonly LineMetric[]): MetricLine {
  const named = new Map(pairs.map(({ name, value }) => [name.toLowerCase(), value]));
  const name = [...STEP_NAMES, "epoch", "batch"].find((step) => named.has(step));
  return { metrics: measures(pairs), step: name === undefined ? undefined : named.get(name) };
}

function measures(pairs: readonly LineMetric[]): readonly LineMetric[] {
  const seen = new Set<string>();
  return pairs.filter(({ name, value }) => {
    const isMeasured =
      Number.isFinite(value) &&
      !COUNTS.has(name.toLowerCase()) &&
      (!NO_MEASURES.test(name) || KEPT_CAPITALS.test(name)) &&
      !seen.has(name);
    seen.add(name);
    return isMeasured;
  });
}

function equalsPairs(text: string): readonly LineMetric[] {
  return [...text.matchAll(EQUALS)].map(([, name = "", value]) => ({ name, value: Number(value) }));
}

function colonPairs(text: string): readonly LineMetric[] {
  return [...text.matchAll(COLON)].map(([, name = "", value]) => ({
    name: name.replace("'s ", "_"),
    value: Number(value),
  }));
}

function saidPairs(text: string): readonly LineMetric[] {
  return [...text.matchAll(SAID)].map(([, name = "", value, of]) => ({
    name: name.replaceAll(" ", "_"),
    value: of === undefined ? Number(value) : Number(value) / Number(of),
  }));
}

/** A JSON line, or a dictionary as Python prints it (Hugging Face's trainer); numbers may be texts in it. */
function numbersOfDictionary(text: string): readonly LineMetric[] | undefined {
  if (!/^\s*\{.*\}\s*$/s.test(text)) return undefined;
  const parsed = parseObject(text) ?? parseObject(text.replaceAll("'", '"'));
  if (parsed === undefined) return undefined;
  return Object.entries(parsed).flatMap(([name, value]) => {
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    return typeof number === "number" ? [{ name, value: number }] : [];
  });
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined; // looked like an object, and was not
  }
}

/** The finest of what says where training is; an epoch together with a batch is no single count. */
function stepOf(text: string): number | undefined {
  const named = new Map<string, number>();
  for (const [, name = "", value] of text.matchAll(STEP)) {
    const key = name.toLowerCase().replace(" ", "_");
    if (!named.has(key)) named.set(key, Number(value));
  }
  for (const name of STEP_NAMES) if (named.has(name)) return named.get(name);
  const isInside = named.has("batch") || /\bepoch:?\s{0,2}\[?\d+\]?\s?\[\s{0,6}\d+\//i.test(text);
  return named.has("epoch") && isInside ? undefined : (named.get("epoch") ?? named.get("batch"));
}
