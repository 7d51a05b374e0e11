import { AsyncLocalStorage } from "node:async_hooks";
import { format } from "node:util";
import { pathToFileURL } from "node:url";
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import type { Datatype } from "../../../models/tensor/index.ts";
import type { ComponentRequest } from "../../plane/index.ts";
import type { ClassParameter } from "../python/index.ts";
import type { FromThread, ToThread } from "../threads/index.ts";
import { ClassAdapter, type AdapterOptions } from "./class-adapter.ts";
import { exportOf } from "./members.ts";
import { isTypedUser, TypedAdapter, type TypedCall } from "./typed-adapter.ts";
import { TypedReader } from "./typed-reader.ts";
import { parametersObject } from "./parameters.ts";
import { failureOf } from "./user-error.ts";

/** What a thread needs to know. */
export interface JsThreadData {
  /** Absolute. */
  readonly file: string;
  readonly name: string;
  readonly parameters: readonly ClassParameter[];
  readonly adapter: AdapterOptions;
  /** Names and datatypes of the outputs, where something says them. */
  readonly outputs: readonly (readonly [name: string, datatype: Datatype])[];
}

type Maker = new (parameters: Readonly<Record<string, unknown>>) => object;

async function main(port: MessagePort, data: JsThreadData): Promise<void> {
  const send = (message: FromThread): void => port.postMessage(message);
  const requests = new AsyncLocalStorage<string | undefined>();
  captureConsole(send, requests);
  try {
    const user = await makeUser(data);
    if (data.adapter.service === "MODEL" && isTypedUser(user))
      await serveTyped(port, new TypedAdapter(user, new Map(data.outputs)), requests);
    else await serveSeldon(port, new ClassAdapter(user, data.adapter), requests);
  } catch (error) {
    const { type, message, traceback } = failureOf(error);
    if (traceback !== "") send({ kind: "log", level: "error", text: traceback });
    send({
      kind: "failed",
      code: "MODEL_LOAD_FAILED",
      message: `${type}: ${message}`,
      hint: "read the log for the reason",
    });
  }
}

type Requests = AsyncLocalStorage<string | undefined>;

async function serveSeldon(
  port: MessagePort,
  adapter: ClassAdapter,
  requests: Requests,
): Promise<void> {
  const send = (message: FromThread): void => port.postMessage(message);
  send({ kind: "ready", facts: await adapter.load() });
  port.on("message", (message: ToThread) => {
    if (message.step === "end") send({ kind: "over" });
    if (message.step !== undefined) return;
    const { id } = message;
    const request = message.value as ComponentRequest; // the other end sends requests
    requests.run(request.requestId, () => {
      adapter.call(request).then(
        (response) => send({ kind: "done", id, value: response }),
        (error: unknown) => send({ kind: "error", id, error: failureOf(error) }),
      );
    });
  });
}

async function serveTyped(
  port: MessagePort,
  adapter: TypedAdapter,
  requests: Requests,
): Promise<void> {
  const send = (message: FromThread): void => port.postMessage(message);
  send({ kind: "ready", facts: await adapter.load() });
  const reader = new TypedReader(adapter, send);
  port.on("message", (message: ToThread) => {
    if (message.step === "end") void reader.end(); // it reports its own failures
    else if (message.step !== undefined) reader.step(message.step);
    else {
      const { id } = message;
      const call = message.value as TypedCall; // the other end sends calls
      requests.run(call.requestId, () => {
        reader.answer(id, call).then(
          (value) => send({ kind: "done", id, value }),
          (error: unknown) => send({ kind: "error", id, error: failureOf(error) }),
        );
      });
    }
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
