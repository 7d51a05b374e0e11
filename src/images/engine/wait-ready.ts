import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { ToolError } from "../../ground/errors/index.ts";
import type { CallOptions } from "../../ground/bytes/index.ts";

export interface WaitReadyOptions extends CallOptions {
  readonly url: URL;
  /** Statuses that mean ready. Default: 2xx. */
  readonly accepts?: ((status: number) => boolean) | undefined;
  /** Default 120 000. */
  readonly timeoutMs?: number | undefined;
  /** Settles when the service has ended, however. */
  readonly ended: Promise<unknown>;
  /** What is waited for, as errors name it. */
  readonly what: string;
  /** Says how it ended. */
  readonly describeEnd: () => Promise<string>;
  /** The last lines it printed, ready to be put after a message; empty when there are none. */
  readonly lastLines: () => Promise<string>;
}

const POLL_MS = 100;
const ASK_MS = 2000;
const READY_MS = 120_000;

/**
 * Asks until the answer has a status that means ready.
 * @throws ToolError `ENGINE_FAILED` when the service ends first, `TIMEOUT` when it does not answer in time; both with its last lines.
 */
export async function waitReady(options: WaitReadyOptions): Promise<void> {
  const { url, signal, what } = options;
  const timeoutMs = options.timeoutMs ?? READY_MS;
  const done = new AbortController();
  const stop = AbortSignal.any([
    done.signal,
    AbortSignal.timeout(timeoutMs),
    ...(signal === undefined ? [] : [signal]),
  ]);
  const ended = options.ended.then(
    () => "ended" as const,
    () => "ended" as const,
  );
  try {
    const outcome = await Promise.race([poll(url, options.accepts ?? isGood, stop), ended]);
    if (outcome === "ready") return;
    signal?.throwIfAborted();
    const lines = await options.lastLines();
    if (outcome === "ended")
      throw new ToolError(
        "ENGINE_FAILED",
        `start ${what}: ${await options.describeEnd()}${lines}`,
        { hint: "the lines above are its own" },
      );
    throw new ToolError(
      "TIMEOUT",
      `wait for ${what}: ${url.pathname} gave no good answer within ${timeoutMs} ms${lines}`,
      { hint: "give it more time, or look at what it printed" },
    );
  } finally {
    done.abort();
  }
}

function isGood(status: number): boolean {
  return status >= 200 && status < 300;
}

async function poll(
  url: URL,
  accepts: (status: number) => boolean,
  signal: AbortSignal,
): Promise<"ready" | "stopped"> {
  while (!signal.aborted) {
    if (await answers(url, accepts, signal)) return "ready";
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined); // the loop's condition sees the abort
  }
  return "stopped";
}

function answers(
  url: URL,
  accepts: (status: number) => boolean,
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { signal, timeout: ASK_MS, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode !== undefined && accepts(response.statusCode));
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}
