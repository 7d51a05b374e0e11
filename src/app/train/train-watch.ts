import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  createCurveBook,
  createEventReader,
  createMetricScanner,
  createProgressReader,
  drawCurve,
  type Curve,
  type EventReader,
  type Progress,
} from "../../jobs/train/index.ts";
import type { Context } from "../context.ts";
import { formatDuration } from "../format.ts";

/** Follows a training run: shows its log, gathers its metrics, and draws them where there is a terminal. */
export interface TrainWatch extends AsyncDisposable {
  /** Takes what the program printed. */
  log(text: string): void;
  /** Reads the rest. @returns every curve. */
  finish(): Promise<readonly Curve[]>;
}

const POLL_MS = 1000;
const DRAW_MS = 250;
const ROWS = 4;
const MAX_DRAWN = 3;

/** Starts to follow; event files of the output folder are read as they grow. */
export function createTrainWatch(
  { output, task }: { readonly output: string; readonly task: string | undefined },
  context: Context,
): TrainWatch {
  const scanner = createMetricScanner({ task });
  const book = createCurveBook();
  const events = createEventFolder(output);
  const screen = createScreen(context);
  const progress = createProgressReader();
  const startedAt = performance.now();
  const draw = (): void =>
    screen.draw(book.curves(), () => statusLine(progress.current(), performance.now() - startedAt));
  let polling: Promise<void> = Promise.resolve();
  const poll = (): void => {
    polling = polling.then(async () => {
      book.add(await events.read());
      draw();
    });
  };
  const timer = setInterval(poll, POLL_MS);
  timer.unref();
  return {
    log(text) {
      screen.print(text);
      book.add(scanner.push(text));
      progress.push(text);
      draw();
    },
    async finish() {
      clearInterval(timer);
      book.add(scanner.end());
      poll();
      await polling;
      screen.close(book.curves());
      return book.curves();
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await polling;
      screen.close([]);
    },
  };
}

/** How long it runs, how far it is when it says so, and how long that lets one expect. */
function statusLine(progress: Progress | undefined, elapsedMs: number): string {
  if (progress === undefined || progress.done === 0)
    return `training for ${formatDuration(elapsedMs)}`;
  const { unit, done, total } = progress;
  const left = (elapsedMs / done) * (total - done);
  return `${unit}${unit === "" ? "" : " "}${done} of ${total} after ${formatDuration(elapsedMs)}${left > 0 ? `, about ${formatDuration(left)} left` : ""}`;
}

/** Event files below a folder; those that were there before count from their end on. */
function createEventFolder(root: string): { read(): Promise<ReturnType<EventReader["push"]>> } {
  const readers = new Map<string, { readonly reader: EventReader; offset: number }>();
  const known = listEvents(root);
  return {
    async read() {
      const old = await known;
      const points: ReturnType<EventReader["push"]>[number][] = [];
      for (const path of await listEvents(root)) {
        if (old.includes(path)) continue;
        const state = readers.get(path) ?? { reader: createEventReader(), offset: 0 };
        readers.set(path, state);
        const bytes = await readFrom(path, state.offset);
        state.offset += bytes.byteLength;
        points.push(...state.reader.push(bytes));
      }
      return points;
    },
  };
}

async function listEvents(root: string): Promise<readonly string[]> {
  const names = await readdir(root, { recursive: true }).catch(() => []);
  return names
    .filter((name) => /(?:^|\/)events\.out\.tfevents\.[^/]*$/.test(name))
    .sort()
    .map((name) => join(root, name));
}

async function readFrom(path: string, offset: number): Promise<Uint8Array> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.max(0, Math.min(size - offset, 16 * 2 ** 20)));
    const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, offset);
    return buffer.subarray(0, bytesRead);
  } catch {
    return new Uint8Array(); // removed, or not ours to read: the next look may find it
  }
}

/** Log lines above, curves and how far it is below them, on standard error; without a terminal only the log. */
function createScreen({ isJson, reporter }: Context): {
  print(text: string): void;
  draw(curves: readonly Curve[], status: () => string): void;
  close(curves: readonly Curve[]): void;
} {
  const { stderr } = process;
  const isTerminal = stderr.isTTY && !isJson;
  let drawn = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let partial = "";
  const erase = (): void => {
    if (drawn > 0) stderr.write(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  return {
    print(text) {
      if (!isTerminal) return void stderr.write(text);
      // Only whole lines go above the curves.
      const whole = `${partial}${text}`;
      const end = whole.lastIndexOf("\n") + 1;
      partial = whole.slice(end);
      if (end === 0) return;
      erase();
      stderr.write(whole.slice(0, end));
      drawnAt = Number.NEGATIVE_INFINITY;
    },
    draw(curves, status) {
      if (!isTerminal || performance.now() - drawnAt < DRAW_MS) return;
      erase();
      const lines = curves
        .slice(0, MAX_DRAWN)
        .flatMap((curve) =>
          drawCurve(curve, { columns: Math.min(80, stderr.columns - 1), rows: ROWS }),
        )
        .concat(status().slice(0, Math.max(8, stderr.columns - 1)));
      stderr.write(lines.map((line) => `${line}\n`).join(""));
      drawn = lines.length;
      drawnAt = performance.now();
    },
    close(curves) {
      if (!isTerminal) return;
      erase();
      if (partial !== "") stderr.write(`${partial}\n`);
      partial = "";
      for (const curve of curves.slice(0, MAX_DRAWN))
        for (const line of drawCurve(curve, {
          columns: Math.min(80, stderr.columns - 1),
          rows: ROWS,
        }))
          reporter.step(line);
    },
  };
}
