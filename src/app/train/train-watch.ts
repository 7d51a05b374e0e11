import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  createCurveBook,
  createEventReader,
  createMetricScanner,
  createProgressReader,
  type Curve,
  type EventReader,
  type ScannerOptions,
} from "../../jobs/train/index.ts";
import type { Caller } from "../session.ts";

/** Follows a training run: hands on its log, gathers its metrics, and tells of both. */
export interface TrainWatch extends AsyncDisposable {
  /** Takes what the program printed. */
  log(text: string): void;
  /** Reads the rest. @returns every curve. */
  finish(): Promise<readonly Curve[]>;
}

const POLL_MS = 1000;

/** Starts to follow; event files of the output folder are read as they grow. */
export function createTrainWatch(
  { output, ...scanned }: { readonly output: string } & Pick<ScannerOptions, "task" | "patterns">,
  { emit }: Caller,
): TrainWatch {
  const scanner = createMetricScanner(scanned);
  const book = createCurveBook();
  const events = createEventFolder(output);
  const progress = createProgressReader();
  const startedAt = performance.now();
  let isOver = false;
  const tell = (curves: readonly Curve[]): void =>
    emit({
      kind: "training",
      curves,
      progress: progress.current(),
      elapsedMs: performance.now() - startedAt,
      isOver,
    });
  let polling: Promise<void> = Promise.resolve();
  const poll = (): void => {
    polling = polling.then(async () => {
      book.add(await events.read());
      tell(book.curves());
    });
  };
  const end = (curves: readonly Curve[]): void => {
    if (isOver) return;
    isOver = true;
    tell(curves);
  };
  const timer = setInterval(poll, POLL_MS);
  timer.unref();
  return {
    log(text) {
      emit({ kind: "output", text });
      book.add(scanner.push(text));
      progress.push(text);
      tell(book.curves());
    },
    async finish() {
      clearInterval(timer);
      book.add(scanner.end());
      poll();
      await polling;
      end(book.curves());
      return book.curves();
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await polling;
      end([]);
    },
  };
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
  // Folders come and go while the script runs, and some belong to root: the next look may read them.
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
