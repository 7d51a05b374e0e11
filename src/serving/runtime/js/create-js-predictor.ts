import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InferenceError } from "../../../ground/errors/index.ts";
import { noFile } from "../../../ground/process/index.ts";
import type { Signature } from "../../../models/tensor/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import type { ModelDescription } from "../../../models/description/index.ts";
import {
  ComponentError,
  predictorOfGraph,
  SERVER_DEFAULTS,
  type ComponentFacts,
  type ComponentRequest,
  type ComponentResponse,
  type GraphComponent,
  type Payload,
  type Predictor,
  type UserFailure,
  USER_CODE_DEFAULTS,
  type UserCodeSettings,
} from "../../plane/index.ts";
import type { ClassParameter, LogLine } from "../python/index.ts";
import { readSignature } from "../read-signature.ts";
import type { TypedFacts } from "./typed-adapter.ts";
import { typedPredictor } from "./typed-predictor.ts";
import { ThreadPool } from "../threads/index.ts";
import type { JsThreadData } from "./js-thread.ts";

export interface JsOptions extends CallOptions, Partial<UserCodeSettings> {
  /** Given to the constructor as one object. */
  readonly parameters?: readonly ClassParameter[];
  /** The threads' whole environment. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Calls that may wait for a thread. Default 1024. */
  readonly maxQueue?: number;
  /** What user code prints. */
  readonly onLog?: (line: LogLine) => void;
}

/**
 * Loads a JavaScript or TypeScript class of the Seldon contract in `description.server.workers` threads (default 1), each with an object of
 * its own. A thread runs one call at a time; a call that hangs ends its thread, and the others go on.
 * @throws InferenceError `MODEL_LOAD_FAILED`
 */
export async function createJsPredictor(
  description: ModelDescription,
  options: JsOptions = {},
): Promise<Predictor> {
  const { name, server } = description;
  const signature = (await readMetadata(description)) ?? description.signature;
  const pool = new ThreadPool({
    ...{
      model: name,
      file: "js-thread",
      folder: import.meta.dirname,
      data: threadData(description, options, signature),
      threads: server.workers ?? SERVER_DEFAULTS.workers,
      env: options.env,
    },
    timeoutMs: server.timeoutMs ?? SERVER_DEFAULTS.timeoutMs,
    saysGoodbye: true,
    maxQueue: options.maxQueue ?? SERVER_DEFAULTS.maxQueue,
    toError: (error) => userError(name, error as UserFailure), // our own thread sends one
    onLog: ({ level, text, requestId }, worker) =>
      options.onLog?.({
        level: level as LogLine["level"],
        text,
        worker,
        ...(requestId !== undefined && { requestId }),
      }), // our own thread's levels
  });
  const facts = (await pool.start(options)) as ComponentFacts | TypedFacts; // our own thread sends them
  if ("isTyped" in facts)
    return ownedBy(pool, typedPredictor(pool, { model: name, signature, facts }));
  const graph: GraphComponent = {
    facts,
    call: async (request, call) =>
      (await pool.call(cloneable(request), [], call)) as ComponentResponse, // our own thread sends one
  };
  const described = { model: name, platform: "javascript_class", signature, takesRawBody: false };
  return ownedBy(pool, { ...predictorOfGraph(graph, described), graph });
}

/** A predictor whose threads end with it. */
function ownedBy(
  pool: ThreadPool,
  predictor: Omit<Predictor, keyof AsyncDisposable | "stats" | "abandon">,
): Predictor {
  return {
    ...predictor,
    get stats() {
      return pool.stats;
    },
    abandon: () => pool.abandon(),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

/** What `metadata.json` beside the class says, else the one in the code folder; undefined where there is none. */
async function readMetadata({ code, codePath }: ModelDescription): Promise<Signature | undefined> {
  if (code === undefined || codePath === undefined) return undefined;
  for (const folder of new Set([dirname(join(codePath, code.file)), codePath])) {
    const text = await readFile(join(folder, "metadata.json"), "utf8").catch(noFile);
    if (text !== undefined) return readSignature(JSON.parse(text));
  }
  return undefined;
}

function threadData(
  { name, code, codePath, service }: ModelDescription,
  options: JsOptions,
  signature: Signature | undefined,
): JsThreadData {
  const { parameters = [], isStrict, sortKeys, asciiOnly } = { ...USER_CODE_DEFAULTS, ...options };
  if (code === undefined || codePath === undefined)
    throw new InferenceError(
      "MODEL_LOAD_FAILED",
      `load the model "${name}": the description names no class`,
      { model: name },
    );
  return {
    file: join(codePath, code.file),
    name: code.name,
    parameters,
    adapter: { service, isStrict, sortKeys, asciiOnly },
    outputs: signature?.outputs.map((output) => [output.name, output.datatype] as const) ?? [],
  };
}

/** Cloning a view takes the whole of its memory along, and small buffers lie in a large one. */
function cloneable(request: ComponentRequest): ComponentRequest {
  return {
    ...request,
    messages: request.messages.map((message) => ({
      ...message,
      payload: compact(message.payload),
    })),
  };
}

function compact(payload: Payload): Payload {
  switch (payload.kind) {
    case "tensor":
      return {
        kind: "tensor",
        tensor: { ...payload.tensor, data: Uint8Array.from(payload.tensor.data) },
      };
    case "bytes":
    case "proto":
    case "any":
      return { ...payload, bytes: Uint8Array.from(payload.bytes) };
    case "array":
    case "json":
    case "raw":
    case "text":
      return payload;
    default:
      return payload satisfies never;
  }
}

function userError(model: string, failure: UserFailure): ComponentError {
  const code = failure.isRefusal && failure.status < 500 ? "REQUEST_INVALID" : "MODEL_FAILED";
  return new ComponentError(
    code,
    `call the model "${model}": ${failure.type}: ${failure.message}`,
    { model, failure },
  );
}
