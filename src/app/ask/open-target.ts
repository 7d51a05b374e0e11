import { createServer } from "node:net";
import { join } from "node:path";
import { runUnpacked, unpackImage } from "../../images/engine/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { createTempDir } from "../../ground/process/index.ts";
import { createLogger, serveModel, serveOptions } from "../../serving/server/index.ts";
import { isModelPath } from "../places/model-path.ts";
import type { Places, Surroundings } from "../session.ts";
import { openFolder } from "../run/open-folder.ts";
import { READY_PATH, READY_TIMEOUT_MS } from "../run/run-in-engine.ts";
import { openRunSource } from "../run/run-source.ts";

/** What is asked, and how it is started where it does not run yet. */
export interface TargetRequest {
  /** A URL, a folder or file of a model, or an image. */
  readonly target: string;
  /** Worker processes of a folder. */
  readonly workers?: number | undefined;
  /** Interpreter for a folder. Default: the folder's .venv, the active environment, python3. */
  readonly python?: string | undefined;
}

/** Who asks: images are found by its places, folders are served in its surroundings. */
export type Asker = Places & Surroundings;

/** A server that answers at `url`; disposing of it ends what was started for it. */
export interface OpenTarget extends AsyncDisposable {
  readonly url: URL;
}

/**
 * Finds or starts the server that a target means: a URL runs already, a folder is served by this process, an image is unpacked and run
 * without a container.
 * @throws ToolError `USAGE`, and what serving or running throws
 */
export async function openTarget(request: TargetRequest, session: Asker): Promise<OpenTarget> {
  const { target } = request;
  if (/^https?:\/\//i.test(target))
    return { url: parseUrl(target), [Symbol.asyncDispose]: nothing };
  return (await isModelPath(target, session))
    ? openFolderTarget(request, session)
    : openImageTarget(target, session);
}

const nothing = async (): Promise<void> => undefined;

function parseUrl(text: string): URL {
  if (!URL.canParse(text))
    throw new ToolError("USAGE", `ask "${text}": it is no URL`, {
      hint: "write http://HOST:PORT",
    });
  const url = new URL(text);
  url.pathname = url.pathname.replace(/\/*$/, "/");
  return url;
}

async function openFolderTarget(
  { target, workers, python }: TargetRequest,
  session: Asker,
): Promise<OpenTarget> {
  const settings = { workers, python, env: {}, apiType: "rest" } as const;
  const opened = await openFolder({ folder: target, ...settings }, session);
  const { description, launch, env, source, others, memoryBudgetBytes } = opened;
  session.emit({ kind: "step", text: `loading ${description.name}` });
  const server = await serveModel(
    { ...description, ports: { http: 0 } },
    {
      ...serveOptions(launch),
      ...{ host: "127.0.0.1", page: true, env, source, others, memoryBudgetBytes },
      log: createLogger({
        level: "error",
        write: (text) => session.emit({ kind: "output", text }),
      }),
      signal: session.signal,
    },
  );
  return {
    url: new URL(`http://127.0.0.1:${server.ports.http}/`),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

async function openImageTarget(name: string, session: Places): Promise<OpenTarget> {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(await openRunSource(name, {}, session));
  const folder = stack.use(await createTempDir("ask", session.directories.cache));
  session.emit({ kind: "step", text: `unpacking ${name}` });
  const image = await unpackImage(source.seen.image, join(folder.path, "root"), session);
  const [http, grpc, metrics] = [await freePort(), await freePort(), await freePort()];
  const url = `http://127.0.0.1:${http}`;
  stack.use(
    await runUnpacked({
      image,
      env: {
        PREDICTIVE_UNIT_HTTP_SERVICE_PORT: String(http),
        PREDICTIVE_UNIT_GRPC_SERVICE_PORT: String(grpc),
        PREDICTIVE_UNIT_METRICS_SERVICE_PORT: String(metrics),
        SLIPWAY_DRAIN_DELAY_MS: "0",
      },
      ready: { url, path: READY_PATH, timeoutMs: READY_TIMEOUT_MS },
      onOutput: () => undefined,
      signal: session.signal,
    }),
  );
  const kept = stack.move();
  return { url: new URL(`${url}/`), [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** A port that nobody listens on at this moment. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}
