import {
  createEngine,
  findEngine,
  runImage,
  type Engine,
  type EngineKind,
  type MountRequest,
  type PortRequest,
  type RunningImage,
} from "../../images/engine/index.ts";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import type { Places } from "../session.ts";
import { openEngine } from "../places/places.ts";
import { modelOf } from "../shown/index.ts";
import { loadImage } from "./load-image.ts";
import { httpPortOf, portsOf } from "./run-options.ts";
import { engineName, type RunSource } from "./run-source.ts";
import { sampleRequestOf } from "./sample-request.ts";

/** An image to run, and how. */
export interface RunRequest {
  /** As every command takes it. */
  readonly name: string;
  /** Default: the port that answers HTTP, on 127.0.0.1, under its own number. */
  readonly ports?: readonly PortRequest[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly mounts?: readonly MountRequest[] | undefined;
  /** Such as `all`. */
  readonly gpus?: string | undefined;
  /** Default: the one that answers, docker first. */
  readonly engine?: EngineKind | undefined;
  /** Returns when it is ready, and leaves it running. Default false. */
  readonly isDetached?: boolean | undefined;
  /** Default: this machine's. */
  readonly platform?: string | undefined;
  /** Asks the registry though the store has an image of that name. Default false. */
  readonly isPull?: boolean | undefined;
  /** As a plain process of this machine, without an engine and without isolation. Default false. */
  readonly isUnpacked?: boolean | undefined;
  /** How long it may take to be ready. Default 120,000. */
  readonly timeoutMs?: number | undefined;
}

/** A request whose image was found. */
export interface OpenedRun extends RunRequest {
  readonly source: RunSource;
}

/** Time that an image gets to be ready when nobody says how much. */
export const READY_TIMEOUT_MS = 120_000;

/** Where a model's server says that it is ready. */
export const READY_PATH = "/health/ping";

/** Runs an image with docker or podman until it ends or Ctrl-C; detached, until it is ready. */
export async function runInEngine(request: OpenedRun, session: Places): Promise<void> {
  const engine = await chooseEngine(request, session);
  const image = await ensureLoaded(engine, request, session);
  session.emit({ kind: "step", text: `starting ${request.name} with ${engine.kind}` });
  const running = await start(engine, { ...request, image }, session);
  await announce(running, engine, { request, session });
  if (request.isDetached === true) return;
  await follow(running, request.name, session);
}

/** The engine that the flags name, else the one that answers. @throws ToolError `ENGINE_MISSING`. */
export async function chooseEngine(
  { name, engine }: Pick<RunRequest, "name" | "engine">,
  session: Places,
): Promise<Engine> {
  if (engine !== undefined)
    return openEngine({ kind: engine === "docker" ? "docker-daemon" : "podman" }, session);
  try {
    return createEngine(await findEngine({ signal: session.signal }));
  } catch (error) {
    if (!isToolError(error) || error.code !== "ENGINE_MISSING") throw error;
    throw new ToolError("ENGINE_MISSING", error.message, {
      cause: error.cause,
      hint: `serve the model's folder with \`slipway serve DIR\`, or run this image without an engine: \`slipway run ${name} --unpacked\``,
    });
  }
}

/** Streams the image into the engine when the engine does not have exactly this one. @returns the name under which it has it. */
export async function ensureLoaded(
  engine: Engine,
  { name, source }: Pick<OpenedRun, "name" | "source">,
  session: Places,
): Promise<string> {
  const image = engineName(source.place.reference, source.seen);
  if (await engine.has(image, session)) return image;
  const { descriptor } = source.seen;
  // Packing loads images under their own names: what lies below the change is there.
  const like = /^(?:store:)?([\w.-]+(?::\d+)?(?:\/[\w.-]+)*(?::[\w.-]+)?)$/.exec(name)?.[1];
  await loadImage(engine, { source: source.place.source, descriptor, name: image, like }, session);
  return image;
}

async function start(
  engine: Engine,
  { source, image, ...request }: OpenedRun & { readonly image: string },
  session: Places,
): Promise<RunningImage> {
  const { config } = source.seen;
  const ports = portsOf(request.ports ?? [], config);
  const http = httpPortOf(config);
  // Only what this tool packed is known to answer there.
  const canAsk =
    modelOf(config) !== undefined && ports.some(({ containerPort }) => containerPort === http);
  return runImage({
    engine,
    request: {
      image,
      ports,
      mounts: request.mounts ?? [],
      env: request.env ?? {},
      gpus: request.gpus,
      platform: request.platform,
    },
    ...(canAsk && http !== undefined
      ? {
          ready: {
            containerPort: http,
            path: READY_PATH,
            timeoutMs: request.timeoutMs ?? READY_TIMEOUT_MS,
          },
        }
      : {}),
    signal: session.signal,
  });
}

async function announce(
  { container, ports, url }: RunningImage,
  engine: Engine,
  { request, session }: { readonly request: OpenedRun; readonly session: Places },
): Promise<void> {
  const model = modelOf(request.source.seen.config);
  session.emit({
    kind: "ready",
    name: request.name,
    url,
    example:
      url === undefined || model === undefined
        ? undefined
        : await sampleRequestOf(url, model, session.signal),
    digest: request.source.seen.descriptor.digest,
    container: {
      id: container.id,
      engine: engine.kind,
      ports,
      isDetached: request.isDetached === true,
    },
  });
}

/** Shows what the container prints. Ctrl-C ends the container, and that is how it should end. */
async function follow({ container }: RunningImage, name: string, session: Places): Promise<void> {
  const { signal } = session;
  try {
    await container.logs((text) => session.emit({ kind: "output", text }), { signal });
    const exitCode = await container.wait({ signal });
    if (exitCode !== 0)
      throw new ToolError("ENGINE_FAILED", `run "${name}": it ended with exit code ${exitCode}`, {
        hint: "the lines above are its own",
      });
  } catch (error) {
    if (!signal.aborted) throw error;
    session.emit({ kind: "step", text: "stopping" });
    await container.stop();
  } finally {
    await container.remove();
  }
}
