import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { pythonEnv } from "../support/python-env.ts";

const ENTRY = resolve(import.meta.dirname, "../../src/serving/server/main.ts");

/** One line of the server's log. */
export type LogRecord = Readonly<Record<string, unknown>> & { readonly msg: string };

export interface Served extends AsyncDisposable {
  readonly url: string;
  /** Of the metrics port. */
  readonly metricsUrl: string;
  readonly folder: string;
  readonly child: ChildProcess;
  readonly log: readonly LogRecord[];
  readonly stderr: () => string;
  /** Resolves when a line of the log matches; those that are there already count. */
  line(matches: (record: LogRecord) => boolean): Promise<LogRecord>;
  /** Resolves to exit code and signal. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  predict(rows: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

export interface ServeSetup {
  /** Source of `Model.py`; its class is called Model. */
  readonly source: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Descriptors that the process may have. Default: as many as this one. */
  readonly maxFiles?: number;
}

/** The entry of images as a process of its own, not awaited; undefined when the test was skipped. */
export async function spawnEntry(
  t: TestContext,
  setup: ServeSetup,
): Promise<Omit<Served, "url" | "metricsUrl"> | undefined> {
  const python = await pythonEnv(t, { packages: ["numpy"] });
  if (python === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), "slipway-serve-"));
  await writeFile(join(folder, "Model.py"), setup.source);
  const args = [
    "seldon-core-microservice",
    "Model",
    "--http-port",
    "0",
    "--grpc-workers",
    "0",
    "--metrics-port",
    "0",
    ...(setup.args ?? []),
  ];
  const limit = setup.maxFiles === undefined ? "" : `ulimit -n ${setup.maxFiles}; `;
  const child = spawn(
    "/bin/sh",
    ["-c", `${limit}exec "$@"`, "-", process.execPath, ENTRY, ...args],
    {
      cwd: folder,
      env: {
        PATH: process.env["PATH"] ?? "",
        SLIPWAY_PYTHON: python.python,
        SLIPWAY_DRAIN_DELAY_MS: "0",
        ...setup.env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const log: LogRecord[] = [];
  const waiting = new Set<(record: LogRecord) => void>();
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const record = JSON.parse(line) as LogRecord;
      log.push(record);
      for (const look of waiting) look(record);
    }
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  return {
    folder,
    child,
    log,
    stderr: () => stderr,
    ended,
    line: (matches) => {
      const found = log.find(matches);
      if (found !== undefined) return Promise.resolve(found);
      const { promise, resolve: settle, reject } = Promise.withResolvers<LogRecord>();
      const look = (record: LogRecord): void => {
        if (!matches(record)) return;
        waiting.delete(look);
        settle(record);
      };
      waiting.add(look);
      void ended.then(() =>
        reject(
          new Error(
            `the server ended before the line came\n${log.map((record) => JSON.stringify(record)).join("\n")}\n${stderr}`,
          ),
        ),
      );
      return promise;
    },
    predict: () => Promise.reject(new Error("not listening yet")),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The same, ready to answer. */
export async function startEntry(t: TestContext, setup: ServeSetup): Promise<Served | undefined> {
  const entry = await spawnEntry(t, setup);
  if (entry === undefined) return undefined;
  const { ports } = (await entry.line(({ msg }) => msg === "ready")) as unknown as {
    ports: { http: number; metrics: number };
  };
  const url = `http://127.0.0.1:${ports.http}`;
  const predict: Served["predict"] = (rows, headers = {}) =>
    fetch(`${url}/api/v1.0/predictions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ data: { ndarray: rows } }),
    });
  return { ...entry, url, metricsUrl: `http://127.0.0.1:${ports.metrics}`, predict };
}
