import {
  createEngine,
  findEngine,
  runImage,
  type Engine,
  type RunningImage,
} from "../../images/engine/index.ts";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import { createImageArchive } from "../../images/layout/index.ts";
import { parseReference } from "../../images/oci/index.ts";
import type { Context } from "../context.ts";
import { environmentOf } from "../options.ts";
import { openEngine } from "../places/places.ts";
import { formatBytes } from "../format.ts";
import { modelOf } from "../image-label.ts";
import { httpPortOf, parseMount, portsOf } from "./run-options.ts";
import { engineName, type RunSource } from "./run-source.ts";
import { sampleRequestOf } from "./sample-request.ts";

/** Flags of `slipway run`. */
export interface RunFlags {
  readonly port?: readonly string[];
  readonly env?: readonly string[];
  readonly volume?: readonly string[];
  readonly gpus?: string;
  readonly engine?: "docker" | "podman";
  readonly detach?: boolean;
  readonly platform?: string;
  readonly pull?: boolean;
  readonly unpacked?: boolean;
  readonly timeout?: number;
}

export interface RunRequest {
  /** As the user wrote it. */
  readonly name: string;
  readonly source: RunSource;
  readonly flags: RunFlags;
}

/** Where a model's server says that it is ready. */
export const READY_PATH = "/health/ping";

/** Runs an image with docker or podman until it ends or Ctrl-C; detached, until it is ready. */
export async function runInEngine(request: RunRequest, context: Context): Promise<void> {
  const engine = await chooseEngine(request, context);
  const image = await ensureLoaded(engine, request, context);
  context.reporter.step(`starting ${request.name} with ${engine.kind}`);
  const running = await start(engine, { ...request, image }, context);
  await announce(running, engine, { request, context });
  if (request.flags.detach === true) return;
  await follow(running, request.name, context);
}

/** The engine that the flags name, else the one that answers. @throws ToolError `ENGINE_MISSING`. */
export async function chooseEngine({ name, flags }: RunRequest, context: Context): Promise<Engine> {
  if (flags.engine !== undefined)
    return openEngine({ kind: flags.engine === "docker" ? "docker-daemon" : "podman" }, context);
  try {
    return createEngine(await findEngine({ signal: context.signal }));
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
  { name, source }: RunRequest,
  context: Context,
): Promise<string> {
  const image = engineName(source.place.reference, source.seen);
  if (await engine.has(image, context)) return image;
  const archive = await createImageArchive(
    source.place.source,
    [{ descriptor: source.seen.descriptor, references: [parseReference(image)] }],
    { signal: context.signal },
  );
  context.reporter.step(`loading ${name} into ${engine.kind} (${formatBytes(archive.size)})`);
  await engine.load(archive.open({ signal: context.signal }), { signal: context.signal });
  return image;
}

async function start(
  engine: Engine,
  { flags, source, image }: RunRequest & { readonly image: string },
  context: Context,
): Promise<RunningImage> {
  const { config } = source.seen;
  const ports = portsOf(flags.port ?? [], config);
  const http = httpPortOf(config);
  // Only what this tool packed is known to answer there.
  const canAsk =
    modelOf(config) !== undefined && ports.some(({ containerPort }) => containerPort === http);
  return runImage({
    engine,
    request: {
      image,
      ports,
      mounts: (flags.volume ?? []).map((text) => parseMount(text, context.cwd)),
      env: environmentOf(flags.env ?? [], context.env),
      gpus: flags.gpus,
      platform: flags.platform,
    },
    ...(canAsk && http !== undefined
      ? {
          ready: {
            containerPort: http,
            path: READY_PATH,
            timeoutMs: (flags.timeout ?? 120) * 1000,
          },
        }
      : {}),
    signal: context.signal,
  });
}

async function announce(
  { container, ports, url }: RunningImage,
  engine: Engine,
  { request, context }: { readonly request: RunRequest; readonly context: Context },
): Promise<void> {
  const { reporter } = context;
  const model = modelOf(request.source.seen.config);
  const example =
    url === undefined || model === undefined
      ? undefined
      : await sampleRequestOf(url, model, context.signal);
  if (url !== undefined) reporter.line(`ready at ${url}; try`);
  else reporter.line(`${request.name} runs`);
  if (example !== undefined) reporter.line(`  ${example}`);
  if (request.flags.detach === true)
    reporter.line(
      `${container.id}; end it with \`${engine.kind} rm --force ${container.id.slice(0, 12)}\``,
    );
  reporter.result({
    id: container.id,
    engine: engine.kind,
    ports,
    url,
    example,
    digest: request.source.seen.descriptor.digest,
  });
}

/** Shows what the container prints. Ctrl-C ends the container, and that is how it should end. */
async function follow({ container }: RunningImage, name: string, context: Context): Promise<void> {
  const { signal } = context;
  try {
    await container.logs((text) => void process.stderr.write(text), { signal });
    const exitCode = await container.wait({ signal });
    if (exitCode !== 0)
      throw new ToolError("ENGINE_FAILED", `run "${name}": it ended with exit code ${exitCode}`, {
        hint: "the lines above are its own",
      });
  } catch (error) {
    if (!signal.aborted) throw error;
    context.reporter.step("stopping");
    await container.stop();
  } finally {
    await container.remove();
  }
}
