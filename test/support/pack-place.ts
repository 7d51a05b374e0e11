import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { cp, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { createTempDir } from "../../src/ground/process/index.ts";
import { createStore, type Store } from "../../src/images/store/index.ts";
import { openPacking, packOne, type Packing } from "./pack-context.ts";

/** What a command came to. */
export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The `result` or `error` event of a command that was run with `--json`. */
  readonly result: Readonly<Record<string, unknown>>;
}

export interface RunOptions {
  readonly stdin?: string;
  /** Over the place's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A place to pack in: a working folder, data folders of its own, and the command line there. */
export interface PackPlace {
  /** Where commands run; the home folder too in a bare place. */
  readonly root: string;
  readonly folders: { readonly data: string; readonly cache: string; readonly state: string };
  readonly store: Store;
  /** Of every command; tests may change it. */
  readonly env: Record<string, string | undefined>;
  /** Runs a command to its end, whatever that is. */
  slipway(...args: readonly string[]): Promise<Ran>;
  /** The same with an input, or with variables of its own. */
  run(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Runs a command that has to succeed; what it said is in the error when it does not. */
  readonly done: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Ran>;
  /** Starts a command; it is ended with the test. */
  start(...args: readonly string[]): ChildProcess;
  /** Writes files by their paths below `root`. */
  write(files: Readonly<Record<string, string | Uint8Array>>): Promise<void>;
}

export interface PlaceOptions {
  /** Where the place is made. Default: the system's folder for temporary files. */
  readonly parent?: string;
  /**
   * A place of a user who never packed: nothing of the environment but PATH, and a home of its own. Default: the environment of the
   * test, and a store in which the tool's own large layers are made already.
   */
  readonly isBare?: boolean;
}

const KILL_AFTER_MS = 15_000;
const BIN = resolve(import.meta.dirname, "../../bin/slipway.js");

/** A place that goes away with the test, as do the commands that still run in it. */
export async function packPlace(t: TestContext, options: PlaceOptions = {}): Promise<PackPlace> {
  const { isBare = false } = options;
  const { root, folders, store, close } = await openFolders(options);
  if (!isBare) await seedFolders(folders);
  const env: Record<string, string | undefined> = {
    ...(isBare ? bareEnvironment(root) : process.env),
    XDG_DATA_HOME: dirname(folders.data),
    XDG_CACHE_HOME: dirname(folders.cache),
    XDG_STATE_HOME: dirname(folders.state),
    SLIPWAY_FROM_SOURCE: "1",
  };
  const children = new Set<ChildProcess>();
  t.after(async () => {
    await Promise.all([...children].map(endChild));
    await close();
  });
  const begin = (args: readonly string[], own: RunOptions = {}): ChildProcess => {
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd: root,
      env: { ...env, ...own.env },
      stdio: [own.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    children.add(child);
    child.stdin?.end(own.stdin);
    return child;
  };
  const run = (args: readonly string[], own?: RunOptions): Promise<Ran> =>
    untilEnd(begin(args, own));
  return {
    root,
    folders,
    store,
    env,
    run,
    slipway: (...args) => run(args),
    start: (...args) => begin(args),
    write: (files) => writeFiles(root, files),
    async done(args, own = {}) {
      const ran = await run(args, { env: own });
      if (ran.exitCode !== 0)
        throw new Error(
          `slipway ${args.join(" ")}: exit code ${ran.exitCode}\n${ran.stdout}${ran.stderr}`,
        );
      return ran;
    },
  };
}

/** A place for callers of the library: with stand-ins for the tool's large files, and a base that claims what a project needs. */
export interface LibraryPlace extends PackPlace, Omit<Packing, "close"> {}

/** The whole goes away with the test. */
export async function libraryPlace(t: TestContext): Promise<LibraryPlace> {
  const place = await packPlace(t);
  const { close, ...packing } = await openPacking(place);
  t.after(close);
  return { ...place, ...packing };
}

/** Output and exit code of a child. */
export async function untilEnd(child: ChildProcess): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => err.push(text));
  const exitCode = await new Promise<number | null>((done, fail) =>
    child.once("close", done).once("error", fail),
  );
  const stdout = out.join("");
  return { exitCode, stdout, stderr: err.join(""), result: resultOf(stdout) };
}

/** Writes files by relative path. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

interface Folders {
  readonly root: string;
  readonly folders: PackPlace["folders"];
  readonly store: Store;
  readonly close: () => Promise<void>;
}

async function openFolders({ parent }: PlaceOptions): Promise<Folders> {
  const folder = await createTempDir("slipway-place", parent);
  const below = (name: string): string => join(folder.path, name, "slipway");
  const folders = { data: below("data"), cache: below("cache"), state: below("state") };
  const root = join(folder.path, "root");
  await mkdir(root, { recursive: true });
  const store = createStore({ dataDir: folders.data, cacheDir: folders.cache });
  return {
    root,
    folders,
    store,
    async close() {
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function bareEnvironment(home: string): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "",
  };
}

/** Asks a command to end, so that it ends what it started; one that does not is killed. */
async function endChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  await gone;
  clearTimeout(timer);
}

function resultOf(stdout: string): Readonly<Record<string, unknown>> {
  const line = stdout
    .trimEnd()
    .split("\n")
    .findLast(
      (text) => text.startsWith('{"event":"result"') || text.startsWith('{"event":"error"'),
    );
  return line === undefined ? {} : (JSON.parse(line) as Readonly<Record<string, unknown>>);
}

// The Node layer takes seconds to compress: it is made once a process, and every place starts with a copy of it.
let seed: Promise<string> | undefined;

async function seedFolders({ data, cache }: PackPlace["folders"]): Promise<void> {
  const made = await (seed ??= makeSeed());
  for (const [name, target] of [
    ["data", data],
    ["cache", cache],
  ] as const)
    await cp(join(made, name), target, { recursive: true, preserveTimestamps: true });
}

/** A folder whose `data` and `cache` hold the tool's own large layers. */
async function makeSeed(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-pack-seed-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const place = await openFolders({});
  const { project, base, context, close } = await openPacking(place);
  await writeFiles(join(place.root, "p"), { "Model.py": "class Model: pass\n" });
  await packOne(project(join(place.root, "p")), base, context);
  for (const name of ["data", "cache"] as const)
    await cp(place.folders[name], join(folder, name), {
      recursive: true,
      preserveTimestamps: true,
    });
  await close();
  await place.close();
  return folder;
}
