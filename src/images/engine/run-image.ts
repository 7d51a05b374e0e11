import { stripControls, ToolError } from "../../ground/errors/index.ts";
import type { CallOptions } from "../../ground/bytes/index.ts";
import type { Container, ContainerRequest, Engine, PublishedPort } from "./contracts.ts";
import { waitReady, type WaitReadyOptions } from "./wait-ready.ts";

export interface RunImageOptions extends CallOptions {
  readonly engine: Engine;
  readonly request: ContainerRequest;
  /** What to ask to learn that the service is ready; without it the container only has to run. */
  readonly ready?: ReadyCheck | undefined;
}

export interface ReadyCheck {
  /** Port inside the container; it must be among the published ones. */
  readonly containerPort: number;
  /** Such as `/health/ping`. */
  readonly path: string;
  /** Statuses that mean ready. Default: 2xx. */
  readonly accepts?: ((status: number) => boolean) | undefined;
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

const TAIL_LINES = 20;

/**
 * Starts an image and waits until it answers. A container that ends first, or does not answer in time, is removed;
 * the error has its last lines. On success the container is the caller's to stop and remove.
 * @throws ToolError `ENGINE_FAILED`, `TIMEOUT`, `PORT_TAKEN`, `REFERENCE_NOT_FOUND`.
 */
export async function runImage({
  engine,
  request,
  ready,
  signal,
}: RunImageOptions): Promise<RunningImage> {
  const container = await engine.start(request, { signal });
  try {
    const state = await container.inspect({ signal });
    if (ready === undefined) return { container, ports: state.ports };
    const end = {
      what: `"${request.image}"`,
      describeEnd: () => describeEnd(container),
      lastLines: () => lastLines(container),
    };
    if (!state.isRunning)
      throw new ToolError(
        "ENGINE_FAILED",
        `start "${request.image}": ${await end.describeEnd()}${await end.lastLines()}`,
        { hint: "the lines above are its own" },
      );
    const port = state.ports.find(({ containerPort }) => containerPort === ready.containerPort);
    if (port === undefined) throw unpublished(engine, request, ready.containerPort);
    const url = urlOf(port);
    await waitWhileRunning(container, {
      url: new URL(ready.path, url),
      accepts: ready.accepts,
      timeoutMs: ready.timeoutMs,
      signal,
      ...end,
    });
    return { container, ports: state.ports, url };
  } catch (error) {
    await container.remove();
    throw error;
  }
}

function unpublished(
  engine: Engine,
  { image, ports = [] }: ContainerRequest,
  wanted: number,
): ToolError {
  if (!ports.some(({ containerPort }) => containerPort === wanted))
    return new ToolError("USAGE", `wait for "${image}": port ${wanted} is not published`);
  return new ToolError(
    "ENGINE_FAILED",
    `wait for "${image}": ${engine.kind} was asked to publish port ${wanted}, and did not`,
    { hint: `look at ${engine.kind}'s network; a daemon without a bridge publishes nothing` },
  );
}

/** Where to reach a published port from this machine. */
export function urlOf({ host, hostPort }: PublishedPort): string {
  const address =
    host === "0.0.0.0" || host === ""
      ? "127.0.0.1"
      : host === "::"
        ? "[::1]"
        : host.includes(":")
          ? `[${host}]`
          : host;
  return `http://${address}:${hostPort}`;
}

/** Also ends the engine's program that waits for the container, which would otherwise outlive the call. */
async function waitWhileRunning(
  container: Container,
  options: Omit<WaitReadyOptions, "ended">,
): Promise<void> {
  const done = new AbortController();
  const ended = container.wait({ signal: done.signal });
  try {
    await waitReady({ ...options, ended });
  } finally {
    done.abort();
    await ended.catch(() => undefined); // ended by the line above, or it told `waitReady`
  }
}

async function describeEnd(container: Container): Promise<string> {
  const { exitCode, isOutOfMemory } = await container.inspect();
  return isOutOfMemory
    ? "it used more memory than it may have"
    : `it ended with exit code ${exitCode}`;
}

async function lastLines(container: Container): Promise<string> {
  const parts: string[] = [];
  await container
    .logs((text) => parts.push(text), { isFollowing: false, tail: TAIL_LINES })
    .catch(() => undefined); // no log is no reason to hide the error
  const lines = parts
    .join("")
    .split("\n")
    .map((line) => stripControls(line).trimEnd())
    .filter((line) => line !== "");
  return lines.length === 0 ? "" : `; its last lines:\n${lines.slice(-TAIL_LINES).join("\n")}`;
}
