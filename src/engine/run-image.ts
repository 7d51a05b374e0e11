import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { stripControls, ToolError } from "../errors/index.ts";
import type { CallOptions } from "../internal/index.ts";
import type { Container, ContainerRequest, Engine, PublishedPort } from "./contracts.ts";

export interface RunImageOptions extends CallOptions {
  readonly engine: Engine;
  readonly request: ContainerRequest;
  /** What to ask to learn that the service is ready; without it the container only has to run. */
  readonly ready?: ReadyCheck | undefined;
}

export interface ReadyCheck {
  /** Port inside the container; it must be among the published ones. */
  readonly containerPort: number;
  /** Such as `/health/ping`; ready when it answers with a 2xx status. */
  readonly path: string;
  /** Default 120 000. */
  readonly timeoutMs?: number | undefined;
}

/** A container that runs and, when that was asked, is ready. */
export interface RunningImage {
  readonly container: Container;
  readonly ports: readonly PublishedPort[];
  /** Where the service answers, without a path; `undefined` without a check. */
  readonly url?: string | undefined;
}

const POLL_MS = 100;
const ASK_MS = 2000;
const READY_MS = 120_000;
const TAIL_LINES = 20;

/**
 * Starts an image and waits until it answers. A container that ends first, or does not answer in time, is removed;
 * the error has its last lines. On success the container is the caller's to stop and remove.
 * @throws ToolError `ENGINE_FAILED`, `TIMEOUT`, `PORT_TAKEN`, `REFERENCE_NOT_FOUND`.
 */
export async function runImage({ engine, request, ready, signal }: RunImageOptions): Promise<RunningImage> {
  const container = await engine.start(request, { signal });
  try {
    const state = await container.inspect({ signal });
    if (ready === undefined) return { container, ports: state.ports };
    if (!state.isRunning) throw await earlyEnd(container, request.image);
    const port = state.ports.find(({ containerPort }) => containerPort === ready.containerPort);
    if (port === undefined) throw new ToolError("USAGE", `wait for "${request.image}": port ${ready.containerPort} is not published`);
    const url = urlOf(port);
    await waitReady({ container, image: request.image, url, ready, signal });
    return { container, ports: state.ports, url };
  } catch (error) {
    await container.remove();
    throw error;
  }
}

/** Where to reach a published port from this machine. */
export function urlOf({ host, hostPort }: PublishedPort): string {
  const address = host === "0.0.0.0" || host === "" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host;
  return `http://${address}:${hostPort}`;
}

interface Waiting extends CallOptions {
  readonly container: Container;
  readonly image: string;
  readonly url: string;
  readonly ready: ReadyCheck;
}

async function waitReady({ container, image, url, ready, signal }: Waiting): Promise<void> {
  const done = new AbortController();
  const timeoutMs = ready.timeoutMs ?? READY_MS;
  const inTime = AbortSignal.timeout(timeoutMs);
  const stop = AbortSignal.any([done.signal, inTime, ...(signal === undefined ? [] : [signal])]);
  const ended = container.wait({ signal: stop }).then(() => true, () => false);
  try {
    const outcome = await Promise.race([poll(new URL(ready.path, url), stop), ended.then((hasEnded) => (hasEnded ? "ended" : "stopped"))]);
    if (outcome === "ready") return;
    signal?.throwIfAborted();
    if (outcome === "ended") throw await earlyEnd(container, image);
    throw new ToolError("TIMEOUT", `wait for "${image}": ${ready.path} gave no good answer within ${timeoutMs} ms${await lastLines(container)}`, { hint: "raise the time with --timeout, or look at the log above" });
  } finally {
    done.abort();
    await ended;
  }
}

async function poll(url: URL, signal: AbortSignal): Promise<"ready" | "stopped"> {
  while (!signal.aborted) {
    if (await answers(url, signal)) return "ready";
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined); // the loop's condition sees the abort
  }
  return "stopped";
}

function answers(url: URL, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { signal, timeout: ASK_MS, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode !== undefined && response.statusCode >= 200 && response.statusCode < 300);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}

async function earlyEnd(container: Container, image: string): Promise<ToolError> {
  const { exitCode, isOutOfMemory } = await container.inspect();
  const why = isOutOfMemory ? "it used more memory than it may have" : `it ended with exit code ${exitCode}`;
  return new ToolError("ENGINE_FAILED", `start "${image}": ${why}${await lastLines(container)}`, { hint: isOutOfMemory ? "give the engine more memory" : "the lines above are the container's own" });
}

async function lastLines(container: Container): Promise<string> {
  const parts: string[] = [];
  await container.logs((text) => parts.push(text), { isFollowing: false, tail: TAIL_LINES }).catch(() => undefined); // no log is no reason to hide the error
  const lines = parts.join("").split("\n").map((line) => stripControls(line).trimEnd()).filter((line) => line !== "");
  return lines.length === 0 ? "" : `; its last lines:\n${lines.slice(-TAIL_LINES).join("\n")}`;
}
