import { parseDuration } from "./duration.ts";
import type { HealthcheckInstruction } from "./instruction.ts";
import { readFlags, type FlagValues } from "./instruction-flags.ts";
import { commandOf } from "./command-line.ts";
import type { RawInstruction } from "./parse-lines.ts";
import { dockerfileError } from "./place.ts";
import { splitBlanks } from "./white-space.ts";

const FLAGS = {
  interval: "text",
  timeout: "text",
  "start-period": "text",
  "start-interval": "text",
  retries: "text",
} as const;
const NANOSECONDS_PER_MS = 1e6;
const MAX_RETRIES = 2 ** 31 - 1;

/** Reads `HEALTHCHECK`. @throws ProjectError `DOCKERFILE_INVALID`. */
export function parseHealthcheck(raw: RawInstruction): HealthcheckInstruction {
  const [first = "", rest = ""] = splitBlanks(raw.rest, 2);
  const type = first.toUpperCase();
  if (type === "") throw wrong(raw, "HEALTHCHECK requires at least one argument");
  const none = { intervalNs: 0, timeoutNs: 0, startPeriodNs: 0, startIntervalNs: 0, retries: 0 };
  const common = { place: raw.place, text: raw.text, kind: "HEALTHCHECK" } as const;
  if (type === "NONE") {
    if (rest !== "") throw wrong(raw, "HEALTHCHECK NONE takes no arguments");
    return { ...common, ...none, test: ["NONE"] };
  }
  const flags = readFlags(raw, FLAGS);
  if (type !== "CMD")
    throw wrong(raw, `Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  return {
    ...common,
    test: testOf(raw, rest),
    intervalNs: duration(raw, flags, "interval"),
    timeoutNs: duration(raw, flags, "timeout"),
    startPeriodNs: duration(raw, flags, "start-period"),
    startIntervalNs: duration(raw, flags, "start-interval"),
    retries: retries(raw, flags),
  };
}

function testOf(raw: RawInstruction, rest: string): readonly string[] {
  const command = commandOf(raw, rest);
  const isEmpty = command.kind === "shell" ? command.line === "" : command.words.length === 0;
  if (isEmpty) throw wrong(raw, "Missing command after HEALTHCHECK CMD");
  return command.kind === "shell" ? ["CMD-SHELL", command.line] : ["CMD", ...command.words];
}

function duration(raw: RawInstruction, flags: FlagValues, name: keyof typeof FLAGS): number {
  const text = flags.get(name)?.[0] ?? "";
  if (text === "") return 0;
  const nanoseconds = parseDuration(text);
  if (nanoseconds === undefined)
    throw wrong(raw, `invalid duration "${text}" of --${name}`, "write it as 30s, 1m30s or 500ms");
  if (nanoseconds !== 0 && nanoseconds < NANOSECONDS_PER_MS)
    throw wrong(raw, `Interval "${name}" cannot be less than 1ms`);
  return nanoseconds;
}

function retries(raw: RawInstruction, flags: FlagValues): number {
  const text = flags.get("retries")?.[0] ?? "";
  if (text === "") return 0;
  const count = Number(text);
  if (!/^[-+]?\d+$/.test(text) || Math.abs(count) > MAX_RETRIES)
    throw wrong(raw, `invalid number "${text}" of --retries`);
  if (count < 0) throw wrong(raw, `--retries cannot be negative (${count})`);
  return count;
}

function wrong({ place }: RawInstruction, why: string, hint?: string): Error {
  return dockerfileError(place, `HEALTHCHECK: ${why}`, hint === undefined ? {} : { hint });
}
