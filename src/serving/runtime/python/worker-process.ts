import { spawn, type ChildProcess } from "node:child_process";
import { Socket } from "node:net";
import { signalGroup } from "../../../ground/process/index.ts";
import type { Arena } from "./arena.ts";
import { readLines } from "./log-lines.ts";

export interface SpawnOptions {
  readonly executable: string;
  /** The folder that holds `slipway_worker`. */
  readonly workerFolder: string;
  readonly cwd: string | undefined;
  /** The whole environment; the parent's when absent. */
  readonly env: Readonly<Record<string, string | undefined>> | undefined;
  readonly arena: Arena | undefined;
  /** What C code and child processes print. */
  readonly onOutput: (stream: "stdout" | "stderr", text: string) => void;
}

/** How a process ended. `spawnError` when it never began. */
export interface Ending {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly spawnError?: NodeJS.ErrnoException;
}

/** A Python process with a socket to it. It leads a process group of its own, so that what it starts ends with it. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  readonly socket: Socket;
  /** Resolves when the process is gone and its outputs are read to the end. Never rejects. */
  readonly ended: Promise<Ending>;
  /** The last lines of standard error. */
  stderrTail(): string;
  signal(name: NodeJS.Signals): void;
}

const TAIL_LINES = 30;
const CLOSE_AFTER_MS = 1000;

/** Starts a worker. File descriptor 3 of the child is the socket, 4 and 5 are shared memory. */
export function startWorkerProcess(options: SpawnOptions): WorkerProcess {
  try {
    return followChild(spawnWorker(options), options);
  } catch (error) {
    return neverBegun(error as NodeJS.ErrnoException); // spawn throws system errors
  }
}

const PASSING: ReadonlySet<string | undefined> = new Set(["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"]);

/** True when the same start may succeed later: files, processes or memory have run out. */
export function isPassing({ code }: NodeJS.ErrnoException): boolean {
  return PASSING.has(code);
}

/** Stands for a process that there never was. */
function neverBegun(spawnError: NodeJS.ErrnoException): WorkerProcess {
  const socket = new Socket();
  socket.destroy();
  return {
    pid: undefined,
    socket,
    ended: Promise.resolve({ exitCode: null, signal: null, spawnError }),
    stderrTail: () => "",
    signal: () => undefined,
  };
}

function spawnWorker(options: SpawnOptions): ChildProcess {
  const { arena } = options;
  return spawn(options.executable, ["-u", `${options.workerFolder}/slipway_worker/__main__.py`], {
    cwd: options.cwd,
    ...(options.env !== undefined && { env: options.env as NodeJS.ProcessEnv }), // undefined values mean "unset" to spawn too
    stdio: [
      "ignore",
      "pipe",
      "pipe",
      "pipe",
      ...(arena === undefined ? [] : [arena.outgoing, arena.incoming]),
    ],
    detached: true,
  });
}

function followChild(child: ChildProcess, options: SpawnOptions): WorkerProcess {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null || stdout === undefined || stderr === undefined)
    return { ...neverBegun(new Error("no pipes")), ended: endingOf(child) }; // out of descriptors: "error" follows
  const tail: string[] = [];
  readLines(stdout, (text) => options.onOutput("stdout", text));
  readLines(stderr, (text) => {
    tail.push(text);
    if (tail.length > TAIL_LINES) tail.shift();
    options.onOutput("stderr", text);
  });
  const socket = child.stdio[3] as Socket; // "pipe" at 3 is a socket pair
  socket.on("error", () => undefined); // EPIPE and the like: the end of the process says more
  return {
    pid: child.pid,
    socket,
    ended: endingOf(child),
    stderrTail: () => tail.join("\n"),
    signal: (name) => signalGroup(child, name),
  };
}

function endingOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once("error", (spawnError: NodeJS.ErrnoException) => {
      if (child.pid === undefined) resolve({ exitCode: null, signal: null, spawnError });
    });
    child.once("exit", (exitCode, signal) => {
      signalGroup(child, "SIGKILL"); // what user code started and left behind
      const finish = (): void => resolve({ exitCode, signal });
      const timer = setTimeout(finish, CLOSE_AFTER_MS); // a child that left the group may hold the pipes for ever
      child.once("close", () => (clearTimeout(timer), finish()));
    });
  });
}

/** `exit code 1`, `SIGKILL`: for messages. */
export function describeEnding(ending: Ending): string {
  if (ending.spawnError !== undefined) return ending.spawnError.message;
  return ending.signal === null
    ? `it ended with exit code ${ending.exitCode}`
    : `it was ended by ${ending.signal}`;
}
