import { stripControls } from "../../ground/errors/index.ts";
import { formatBytes, formatDuration } from "./format.ts";
import type { BlobProgress, Reporter, Streams } from "./reporter.ts";

export interface ReporterOptions {
  readonly streams: Streams;
  /** JSON lines on standard output instead of text. */
  readonly isJson: boolean;
  /** No steps and no progress. */
  readonly isQuiet: boolean;
  /** Standard error is a terminal of this many columns; absent when it is not one. */
  readonly columns?: number | undefined;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Chooses how to tell: JSON lines for programs, redrawn bars on a terminal, plain lines in a log. */
export function createReporter(options: ReporterOptions): Reporter {
  if (options.isJson) return createJsonReporter(options);
  if (options.columns === undefined || options.isQuiet) return createPlainReporter(options);
  return createTerminalReporter(options, options.columns);
}

function createJsonReporter({ streams, isQuiet }: ReporterOptions): Reporter {
  const event = (data: unknown): void => streams.out(`${JSON.stringify(data)}\n`);
  return {
    step: (text) => isQuiet || event({ event: "step", text }),
    blob: (progress) =>
      isQuiet ||
      progress.state === "progress" ||
      event({ event: progress.state, ...progress, kind: undefined, state: undefined }),
    warn: (text) => event({ event: "warning", text }),
    line: () => undefined,
    result: (data) => event({ event: "result", ...data }),
    close: () => undefined,
  };
}

/** Every this many milliseconds a long upload says in a log how far it is. */
const LOG_EVERY_MS = 10_000;

function createPlainReporter({ streams, isQuiet, now }: ReporterOptions): Reporter {
  const running = new Map<string, { readonly startedAt: number; toldAt: number }>();
  return {
    step: (text) => isQuiet || streams.err(`${stripControls(text)}\n`),
    blob(progress) {
      if (isQuiet) return;
      const known = running.get(progress.id);
      const at = now();
      if (progress.state === "start") running.set(progress.id, { startedAt: at, toldAt: at });
      else if (progress.state !== "progress")
        streams.err(
          `  ${blobLine(progress, known === undefined ? undefined : at - known.startedAt)}\n`,
        );
      else if (known !== undefined && at - known.toldAt >= LOG_EVERY_MS) {
        known.toldAt = at;
        streams.err(
          `  ${stripControls(progress.label)}: ${percent(progress)} of ${formatBytes(progress.size)}\n`,
        );
      }
    },
    warn: (text) => streams.err(`warning: ${stripControls(text)}\n`),
    line: (text) => streams.out(`${stripControls(text)}\n`),
    result: () => undefined,
    close: () => undefined,
  };
}

const REDRAW_EVERY_MS = 80;

interface Bar {
  progress: BlobProgress;
  readonly startedAt: number;
}

/** For terminals that do not say how wide they are. */
const USUAL_COLUMNS = 80;

function createTerminalReporter({ streams, now }: ReporterOptions, stated: number): Reporter {
  const columns = stated > 0 ? stated : USUAL_COLUMNS;
  const bars = new Map<string, Bar>();
  let drawn = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  const erase = (): void => {
    if (drawn > 0) streams.err(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  const draw = (): void => {
    erase();
    const lines = [...bars.values()].map((bar) => barLine(bar, now(), columns));
    streams.err(lines.map((line) => `${line}\n`).join(""));
    drawn = lines.length;
    drawnAt = now();
  };
  const above = (text: string): void => {
    erase();
    streams.err(`${text}\n`);
    if (bars.size > 0) draw();
  };
  return {
    step: (text) => above(stripControls(text)),
    blob(progress) {
      const bar = bars.get(progress.id);
      if (progress.state === "start" || progress.state === "progress") {
        if (bar === undefined) bars.set(progress.id, { progress, startedAt: now() });
        else bar.progress = progress;
        if (now() - drawnAt >= REDRAW_EVERY_MS) draw();
        return;
      }
      bars.delete(progress.id);
      above(`  ${blobLine(progress, bar === undefined ? undefined : now() - bar.startedAt)}`);
    },
    warn: (text) => above(`warning: ${stripControls(text)}`),
    line(text) {
      erase();
      streams.out(`${stripControls(text)}\n`);
    },
    result: () => undefined,
    close: erase,
  };
}

function blobLine({ label: raw, ...progress }: BlobProgress, tookMs: number | undefined): string {
  const label = stripControls(raw);
  const size = formatBytes(progress.size);
  switch (progress.state) {
    case "skipped":
      return `${label}: already there (${size})`;
    case "mounted":
      return `${label}: mounted (${size})`;
    case "resumed":
      return `${label}: resumed at ${formatBytes(progress.bytes)} of ${size}`;
    case "start":
    case "progress":
    case "done":
      return tookMs === undefined || tookMs < 50
        ? `${label}: ${size}`
        : `${label}: ${size} in ${formatDuration(tookMs)} (${rate(progress.size, tookMs)})`;
    default:
      return progress.state satisfies never;
  }
}

function barLine({ progress, startedAt }: Bar, now: number, columns: number): string {
  const elapsedMs = Math.max(1, now - startedAt);
  const left =
    progress.bytes === 0
      ? ""
      : `, ${formatDuration(((progress.size - progress.bytes) / progress.bytes) * elapsedMs)} left`;
  const tail = ` ${percent(progress)} ${formatBytes(progress.bytes)} of ${formatBytes(progress.size)}, ${rate(progress.bytes, elapsedMs)}${left}`;
  const label = `  ${stripControls(progress.label)} `;
  const width = Math.max(0, Math.min(30, columns - 1 - label.length - tail.length));
  const filled = progress.size === 0 ? width : Math.round((progress.bytes / progress.size) * width);
  return `${label}${"█".repeat(filled)}${"░".repeat(width - filled)}${tail}`.slice(0, columns - 1);
}

function percent(progress: BlobProgress): string {
  return `${progress.size === 0 ? 100 : Math.floor((progress.bytes / progress.size) * 100)} %`;
}

function rate(bytes: number, ms: number): string {
  return `${formatBytes((bytes / ms) * 1000)}/s`;
}
