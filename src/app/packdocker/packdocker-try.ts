import { createServer } from "node:net";
import { join } from "node:path";
import {
  createEngine,
  findEngine,
  runImage,
  runUnpacked,
  unpackImage,
  type Engine,
} from "../../images/engine/index.ts";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import { createTempDir } from "../../ground/process/index.ts";
import { imageDescriptor } from "../../images/oci/index.ts";
import type { Places } from "../session.ts";
import type { Packed } from "../pack/deliver.ts";
import { loadImage } from "../run/load-image.ts";
import type { TestEngine } from "./packdocker-choices.ts";
import type { ChosenServer } from "./packdocker-server.ts";
import { packedSource } from "../places/packed-source.ts";
import { openEngine } from "../places/places.ts";
import { postFile, type FileAnswer } from "./post-file.ts";
import { shortDigest } from "../format.ts";
import { READY_PATH } from "../run/run-in-engine.ts";

/** An image to try, and the files to send it. */
export interface Trial {
  readonly packed: Packed;
  readonly server: ChosenServer;
  readonly port: number;
  /** As the user wrote them. */
  readonly files: readonly string[];
  /** Default: the engine that answers, else `none`. */
  readonly engine?: TestEngine | undefined;
  /** For the start, and for each answer. */
  readonly timeoutMs: number;
}

/**
 * Starts the image that was packed, posts each file to `/service`, prints the answers, and removes
 * the container and everything it was started from.
 * @throws ToolError what starting an image throws; `MODEL_FAILED` for an answer that is not good,
 * `TIMEOUT`.
 */
export async function tryPacked(trial: Trial, session: Places): Promise<readonly FileAnswer[]> {
  await using service = await startService(trial, session);
  const answers: FileAnswer[] = [];
  for (const file of trial.files) {
    const answer = await postFile(
      file,
      {
        url: `${service.url}/service`,
        timeoutMs: trial.timeoutMs,
        lastLines: () => service.lastLines(),
      },
      session,
    );
    session.emit({ kind: "answer", answer });
    answers.push(answer);
  }
  return answers;
}

interface Service extends AsyncDisposable {
  readonly url: string;
  lastLines(): Promise<string>;
}

async function startService(trial: Trial, session: Places): Promise<Service> {
  const engine = await chooseEngine(trial, session);
  return engine === undefined
    ? startUnpacked(trial, session)
    : startInEngine(trial, engine, session);
}

async function chooseEngine(
  { engine, server }: Trial,
  session: Places,
): Promise<Engine | undefined> {
  if (engine === "docker" || engine === "podman")
    return openEngine({ kind: engine === "docker" ? "docker-daemon" : "podman" }, session);
  const hint = "start docker or install podman, or leave --test out";
  if (engine === "none") {
    if (server.kind === "gunicorn")
      throw new ToolError(
        "UNSUPPORTED",
        "test the image: the server of its base starts in a container only",
        { hint: "leave --test-engine out" },
      );
    return undefined;
  }
  try {
    return createEngine(await findEngine({ signal: session.signal }));
  } catch (error) {
    if (!isToolError(error) || error.code !== "ENGINE_MISSING") throw error;
    if (server.kind === "gunicorn")
      throw new ToolError(
        "ENGINE_MISSING",
        `test the image: the server of its base starts in a container only; ${error.message}`,
        { cause: error.cause, hint },
      );
    return undefined;
  }
}

async function startInEngine(
  { packed: { image }, server, port, timeoutMs }: Trial,
  engine: Engine,
  session: Places,
): Promise<Service> {
  const descriptor = await imageDescriptor(image.image, session);
  // A name of this process alone, so that taking it away takes nothing from anybody.
  const name = `slipway.local/test:${shortDigest(descriptor.digest)}-${process.pid}`;
  const ready =
    server.kind === "slipway" ? { path: READY_PATH } : { path: "/", accepts: () => true };
  try {
    await loadImage(
      engine,
      { source: await packedSource(image.image, session), descriptor, name },
      session,
    );
    session.emit({ kind: "step", text: `starting the packed server with ${engine.kind}` });
    const { container, url } = await runImage({
      engine,
      request: { image: name, ports: [{ containerPort: port }] },
      ready: { ...ready, containerPort: port, timeoutMs },
      signal: session.signal,
    });
    return {
      url: url ?? "",
      async lastLines() {
        const parts: string[] = [];
        await container.logs((text) => parts.push(text), { isFollowing: false, tail: 20 });
        return parts.join("");
      },
      async [Symbol.asyncDispose]() {
        await container.remove();
        await engine.removeImage(name);
      },
    };
  } catch (error) {
    await engine.removeImage(name);
    throw error;
  }
}

const TAIL_CHARS = 4096;

async function startUnpacked(
  { packed: { image }, timeoutMs }: Trial,
  session: Places,
): Promise<Service> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await createTempDir("test", session.directories.cache));
  session.emit({
    kind: "step",
    text: "no docker or podman is used: starting the packed server as a process of this machine",
  });
  const unpacked = await unpackImage(image.image, join(folder.path, "root"), session);
  const url = `http://127.0.0.1:${await freePort()}`;
  let tail = "";
  stack.use(
    await runUnpacked({
      image: unpacked,
      env: { PREDICTIVE_UNIT_HTTP_SERVICE_PORT: new URL(url).port },
      ready: { url, path: READY_PATH, timeoutMs },
      onOutput: (text) => void (tail = (tail + text).slice(-TAIL_CHARS)),
      signal: session.signal,
    }),
  );
  const moved = stack.move();
  return {
    url,
    lastLines: () => Promise.resolve(tail),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** One that nobody listens on now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        resolve(typeof address === "object" && address !== null ? address.port : 0),
      );
    });
  });
}
