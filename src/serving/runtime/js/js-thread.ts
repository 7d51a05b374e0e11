import { AsyncLocalStorage } from "node:async_hooks";
import { format } from "node:util";
import { pathToFileURL } from "node:url";
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import type { ComponentRequest } from "../../plane/index.ts";
import type { ClassParameter } from "../python/index.ts";
import type { FromThread, ToThread } from "../threads/index.ts";
import { ClassAdapter, type AdapterOptions } from "./class-adapter.ts";
import { exportOf } from "./members.ts";
import { parametersObject } from "./parameters.ts";
import { failureOf } from "./user-error.ts";

/** What a thread needs to know. */
export interface JsThreadData {
  /** Absolute. */
  readonly file: string;
  readonly name: string;
  readonly parameters: readonly ClassParameter[];
  readonly adapter: AdapterOptions;
}

type Maker = new (parameters: Readonly<Record<string, unknown>>) => object;

async function main(port: MessagePort, data: JsThreadData): Promise<void> {
  const send = (message: FromThread): void => port.postMessage(message);
  const requests = new AsyncLocalStorage<string | undefined>();
  captureConsole(send, requests);
  let adapter: ClassAdapter;
  try {
    adapter = new ClassAdapter(await makeUser(data), data.adapter);
    send({ kind: "ready", facts: await adapter.load() });
  } catch (error) {
    const { type, message, traceback } = failureOf(error);
    if (traceback !== "") send({ kind: "log", level: "error", text: traceback });
    send({
      kind: "failed",
      code: "MODEL_LOAD_FAILED",
      message: `${type}: ${message}`,
      hint: "read the log for the reason",
    });
    return;
  }
  port.on("message", ({ id, value }: ToThread) => {
    const request = value as ComponentRequest; // the other end sends requests
    requests.run(request.requestId, () => {
      adapter.call(request).then(
        (response) => send({ kind: "done", id, value: response }),
        (error: unknown) => send({ kind: "error", id, error: failureOf(error) }),
      );
    });
  });
}

/** Imports the user's module; Node takes the types out of TypeScript itself. */
async function makeUser({ file, name, parameters }: JsThreadData): Promise<object> {
  const found = exportOf(
    (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>,
    name,
  );
  if (typeof found === "object" && found !== null) return found;
  if (typeof found !== "function")
    throw new Error(`the export "${name}" is neither a class nor an object`);
  return new (found as Maker)(parametersObject(parameters)); // a class, or a function that is used as one
}

const LEVELS = { log: "info", info: "info", debug: "debug", warn: "warn", error: "error" } as const;

/** What user code prints reaches the log with the request that it belongs to. */
function captureConsole(
  send: (message: FromThread) => void,
  requests: AsyncLocalStorage<string | undefined>,
): void {
  for (const [name, level] of Object.entries(LEVELS)) {
    Object.assign(globalThis.console, {
      [name]: (...args: readonly unknown[]): void => {
        const requestId = requests.getStore();
        send({
          kind: "log",
          level,
          text: format(...args),
          ...(requestId !== undefined && { requestId }),
        });
      },
    });
  }
}

if (parentPort !== null) void main(parentPort, workerData as JsThreadData); // only threads have a port; main reports its own failures
