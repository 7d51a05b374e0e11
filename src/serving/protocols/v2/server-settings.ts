import { InferenceError } from "../../../ground/errors/index.ts";
import type { TraceChange } from "../../plane/index.ts";
import type { LogSwitches, Plane } from "../protocol.ts";
import { requestInvalid, shortName } from "../request-errors.ts";

/** A value of a setting as a client gives it; null takes back what was set. */
export type SettingValue = string | number | boolean | null | readonly string[];
export type SettingMap = ReadonlyMap<string, SettingValue>;
/** Settings as they are shown, in the order of the protocol. */
export type ShownSettings = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** What is asked where nothing can be changed. */
const NOTHING: SettingMap = new Map();

/**
 * What is logged, after what is told was changed. Lines go to standard output, as JSON with times of ISO 8601.
 * @throws InferenceError `REQUEST_INVALID`, `CONTROL_REFUSED` where clients may change nothing, `UNSUPPORTED` for a log that is not ours
 * @see Triton's extension_logging.md
 */
export function logSettings(plane: Plane, changes: SettingMap = NOTHING): ShownSettings {
  const { log } = plane;
  if (log === undefined)
    throw new InferenceError(
      "UNSUPPORTED",
      "show the log's settings: the log belongs to who started the server",
    );
  if (changes.size > 0) refuseStrangers(plane, "change the log");
  const wanted = { ...log };
  for (const [name, value] of changes) changeLog(wanted, name, value);
  Object.assign(log, wanted); // all of them, or none
  return {
    log_file: "",
    log_info: log.info,
    log_warning: log.warning,
    log_error: log.error,
    log_verbose_level: log.verbose,
    log_format: "default",
  };
}

const SWITCHES = new Map<string, "info" | "warning" | "error">([
  ["log_info", "info"],
  ["log_warning", "warning"],
  ["log_error", "error"],
]);

function changeLog(wanted: LogSwitches, name: string, value: SettingValue): void {
  const key = SWITCHES.get(name);
  if (key !== undefined) {
    if (typeof value !== "boolean") throw wrong(name, value, "true or false");
    wanted[key] = value;
  } else if (name === "log_verbose_level") {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
      throw wrong(name, value, "a whole number from 0 on");
    wanted.verbose = value;
  } else if (name === "log_file") {
    if (value !== "") throw wrong(name, value, 'only "", since the log is standard output');
  } else if (name === "log_format") {
    if (value !== "default" && value !== "ISO8601")
      throw wrong(name, value, "default or ISO8601, which are the same here");
  } else throw requestInvalid(`there is no setting "${shortName(name)}" of the log`);
}

/**
 * What is traced of the server's requests, or of a model's, after what is told was changed.
 * @throws InferenceError `REQUEST_INVALID`, `CONTROL_REFUSED`, `MODEL_NOT_FOUND`
 * @see Triton's extension_trace.md
 */
export function traceSettings(
  plane: Plane,
  model: string | undefined,
  changes: SettingMap = NOTHING,
): ShownSettings {
  const { traces, models } = plane;
  const name = model === undefined ? undefined : models.model(model).name;
  if (changes.size > 0) {
    refuseStrangers(plane, "change what is traced");
    traces.change(name, Object.assign({}, ...[...changes].map(readTraceChange)));
  }
  const { isOn, ratio, count } = traces.ruleOf(name);
  return {
    trace_file: "",
    trace_level: [isOn ? "TIMESTAMPS" : "OFF"],
    trace_rate: String(ratio === 0 ? 0 : Math.round(1 / ratio)),
    trace_count: String(count),
    log_frequency: "0",
    trace_mode: "opentelemetry",
  };
}

/** What each setting of traces changes, by its name in the protocol. A value that is taken back is null. */
const TRACE_SETTINGS = new Map<string, (value: SettingValue) => TraceChange>([
  ["trace_level", (value) => ({ isOn: value === null ? null : readLevel(value) })],
  ["trace_rate", (value) => ({ ratio: value === null ? null : readRatio(value) })],
  [
    "trace_count",
    (value) => ({ count: value === null ? null : wholeNumber("trace_count", value, -1) }),
  ],
  ["log_frequency", only("log_frequency", "0", "0, since spans are not kept in files")],
  ["trace_file", only("trace_file", "", 'only "", since spans go to the collector, or to the log')],
  ["trace_mode", only("trace_mode", "opentelemetry", "opentelemetry")],
]);

function readTraceChange([name, value]: readonly [string, SettingValue]): TraceChange {
  const read = TRACE_SETTINGS.get(name);
  if (read === undefined)
    throw requestInvalid(`there is no setting "${shortName(name)}" of traces`);
  return read(value);
}

/** For a setting that has one value, which may be said. */
function only(name: string, known: string, wanted: string): (value: SettingValue) => TraceChange {
  return (value) => {
    if (value !== null && String(oneOf(value)) !== known) throw wrong(name, value, wanted);
    return {};
  };
}

function readRatio(value: SettingValue): number {
  const rate = wholeNumber("trace_rate", value, 0);
  return rate === 0 ? 0 : 1 / rate;
}

function readLevel(value: SettingValue): boolean {
  const levels = typeof value === "object" ? value : [value];
  const [level] = levels ?? [];
  if (levels?.length !== 1 || (level !== "OFF" && level !== "TIMESTAMPS"))
    throw wrong("trace_level", value, "OFF or TIMESTAMPS, since spans hold no tensors");
  return level === "TIMESTAMPS";
}

/** A number, or its text, or a list of one, as gRPC has it. */
function wholeNumber(name: string, value: SettingValue, least: number): number {
  const text = String(oneOf(value));
  const number = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least)) throw wrong(name, value, `a whole number from ${least} on`);
  return number;
}

function oneOf(value: SettingValue): SettingValue | undefined {
  return typeof value === "object" && value !== null
    ? value.length === 1
      ? value[0]
      : undefined
    : value;
}

function wrong(name: string, value: SettingValue, wanted: string): InferenceError {
  const shown = JSON.stringify(value).slice(0, 60);
  return requestInvalid(`the setting "${name}" is ${shown}, and it may be ${wanted}`);
}

function refuseStrangers({ allowsControl }: Plane, what: string): void {
  if (!allowsControl)
    throw new InferenceError("CONTROL_REFUSED", `${what}: clients may not do that on this server`, {
      hint: "start it with SLIPWAY_MODEL_CONTROL=1, and keep strangers away from its port",
    });
}
