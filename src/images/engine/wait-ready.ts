import { setTimeout as sleep } from "node:timers/promises";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import type { CallOptions } from "../../ground/bytes/index.ts";
import { createHttpClient, type HttpClient } from "../../ground/http/index.ts";

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
  using client = createHttpClient({
    timeouts: { connectMs: ASK_MS, answerMs: ASK_MS, idleMs: ASK_MS },
  });
  while (!signal.aborted) {
    if (await answers(client, { url, accepts, signal })) return "ready";
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined); // the loop's condition sees the abort
  }
  return "stopped";
}

interface Question {
  readonly url: URL;
  readonly accepts: (status: number) => boolean;
  readonly signal: AbortSignal;
}

async function answers(client: HttpClient, { url, accepts, signal }: Question): Promise<boolean> {
  try {
    const response = await client.send({
      action: "ask the service",
      method: "GET",
      url,
      headers: { connection: "close" },
      signal,
    });
    await response.drop();
    return accepts(response.status);
  } catch (error) {
    if (signal.aborted || isToolError(error)) return false; // not there yet, or nobody asks any more
    throw error;
  }
}
