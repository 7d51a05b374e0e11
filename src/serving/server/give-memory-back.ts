import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What is known of this process, and how its heap is made small. */
export interface MemoryView {
  /** Processor time of all its threads so far, in ms. */
  cpuMs(): number;
  /** Resident set size, in bytes. */
  residentBytes(): number;
  /** Frees what nobody needs, and gives the pages back to the system. Stops the thread for some tens of milliseconds. */
  shrink(): void;
}

const LOOK_MS = 5000;
/** A server that does this much in the time between two looks is at work. */
const QUIET_MS = 250;
/** Less is not worth a stop of the thread. */
const WORTH_BYTES = 24 * 2 ** 20;

/**
 * Looks every five seconds whether a process that was at work is quiet now, and has it give its memory back once: V8 keeps the heap that a rush of
 * requests or a large body made it have. A process that is at work all the time is left alone.
 */
export function giveMemoryBack(view: MemoryView = ofThisProcess()): Disposable {
  let state = { cpuMs: view.cpuMs(), restingBytes: view.residentBytes() };
  const timer = setInterval(() => (state = looked(view, state)), LOOK_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** What one look found. */
interface Rest {
  /** Processor time at the last look, in ms. */
  readonly cpuMs: number;
  /** Memory when it was made small last, in bytes. */
  readonly restingBytes: number;
}

/** One look: shrinks a quiet process that has grown. */
export function looked(view: MemoryView, { cpuMs, restingBytes }: Rest): Rest {
  const now = view.cpuMs();
  const hasGrown = view.residentBytes() - restingBytes >= WORTH_BYTES;
  if (now - cpuMs > QUIET_MS || !hasGrown) return { cpuMs: now, restingBytes };
  view.shrink();
  return { cpuMs: view.cpuMs(), restingBytes: view.residentBytes() };
}

function ofThisProcess(): MemoryView {
  return {
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    residentBytes: () => process.memoryUsage.rss(),
    shrink: () => collector()({ type: "major", execution: "sync", flavor: "last-resort" }),
  };
}

type Collector = (options: {
  readonly type: "major";
  readonly execution: "sync";
  readonly flavor: "last-resort";
}) => void;

let found: Collector | undefined;

/** V8's own collector, which a new context has once the flag is set; no program sees it elsewhere. */
function collector(): Collector {
  if (found !== undefined) return found;
  setFlagsFromString("--expose-gc");
  const made: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  return (found = isCollector(made) ? made : () => undefined);
}

function isCollector(value: unknown): value is Collector {
  return typeof value === "function";
}
