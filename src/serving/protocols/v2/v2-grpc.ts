import { ERROR_CODES, isToolError, stripControls } from "../../../ground/errors/index.ts";
import { WireError, WireReader } from "../../../ground/wire/index.ts";
import { answersOf, ComponentError, type ServedModel } from "../../plane/index.ts";
import {
  SMALL_MESSAGE_BYTES,
  type GrpcCall,
  type GrpcFailure,
  type GrpcMethod,
} from "../../transport/index.ts";
import { isLargeMessage, type FlatFields } from "../codecs/large-message.ts";
import { checkTakes } from "../called-model.ts";
import type { GrpcServices, Plane } from "../protocol.ts";
import {
  controlModel,
  EXTENSIONS,
  loadedModel,
  modelForCall,
  modelMetadata,
  modelStatistics,
  repositoryIndex,
  SERVER_NAME,
} from "./documents.ts";
import { requestInvalid } from "../request-errors.ts";
import { readInferProto, type ProtoInferCall } from "./read-infer-proto.ts";
import { answerOf, inferRequestOf, PROTOCOL } from "./run-infer.ts";
import { logSettings, traceSettings } from "./server-settings.ts";
import {
  readLogCall,
  readTraceCall,
  writeLogSettings,
  writeTraceSettings,
} from "./settings-proto.ts";
import { V2_PROTO } from "./v2-proto.ts";
import {
  writeInferProto,
  writeModelConfig,
  writeModelMetadata,
  writeRepositoryIndex,
  writeServerMetadata,
  writeStatistics,
  writeStreamAnswer,
  writeTruth,
} from "./write-proto.ts";

const SERVICE = "/inference.GRPCInferenceService/";
const EMPTY = new Uint8Array(0);
/** Requests of one stream that wait for their turn; a client that sends more faster is refused. */
const MAX_WAITING = 1024;

/** `inference.GRPCInferenceService`. */
export function v2Grpc(plane: Plane): GrpcServices {
  const { models, version } = plane;
  const asked = (message: Buffer): ServedModel => loadedModel(models, ...nameIn(message));
  const unary = unaryMethods(plane);
  const probe = (answer: (message: Buffer) => Uint8Array): GrpcMethod => ({
    ...unary("v2-health", answer),
    access: "open",
  });
  const managing = (
    name: string,
    answer: (message: Buffer) => Uint8Array | Promise<Uint8Array>,
  ): GrpcMethod => ({ ...unary(name, answer), access: "manager" });
  const control = (action: "load" | "unload"): GrpcMethod =>
    managing("v2-repository", async (message) => {
      await controlModel(plane, controlledIn(message), action);
      return EMPTY;
    });
  const methods: Readonly<Record<string, GrpcMethod>> = {
    ServerLive: probe(() => writeTruth(true)),
    ServerReady: probe(() => writeTruth(models.isReady)),
    ModelReady: probe((message) => writeTruth(models.model(...nameIn(message)).isReady)),
    ServerMetadata: unary("v2-metadata", () =>
      writeServerMetadata(SERVER_NAME, version, EXTENSIONS),
    ),
    ModelMetadata: unary("v2-metadata", async (message) =>
      writeModelMetadata(await modelMetadata(models, asked(message))),
    ),
    ModelConfig: unary("v2-metadata", async (message) =>
      writeModelConfig(await modelMetadata(models, asked(message))),
    ),
    ModelInfer: unary("v2-infer", (message, call) => infer(plane, call, message), Infinity),
    ModelStreamInfer: streamMethod(plane),
    ModelStatistics: unary("v2-statistics", (message) => {
      const [name, of] = nameIn(message);
      const counted = name === "" ? models.models : [loadedModel(models, name, of)];
      return writeStatistics(counted.map(modelStatistics));
    }),
    RepositoryIndex: unary("v2-repository", (message) =>
      writeRepositoryIndex(repositoryIndex(models, truthIn(message))),
    ),
    RepositoryModelLoad: control("load"),
    RepositoryModelUnload: control("unload"),
    TraceSetting: managing("v2-settings", (message) => {
      const { model, changes } = readTraceCall(message);
      return writeTraceSettings(traceSettings(plane, model, changes));
    }),
    LogSettings: managing("v2-settings", (message) =>
      writeLogSettings(logSettings(plane, readLogCall(message))),
    ),
  };
  return {
    files: [V2_PROTO],
    methods: new Map(Object.entries(methods).map(([name, method]) => [SERVICE + name, method])),
  };
}

async function infer(plane: Plane, call: GrpcCall, message: Buffer): Promise<Uint8Array> {
  const read = await readInfer(plane, message);
  if (read.id !== undefined) call.requestId = read.id;
  const model = await modelForCall(plane.models, read.model, read.version);
  const { predictor } = model;
  const facts = predictor.describe();
  checkTakes(model, "tensors", PROTOCOL);
  const response = await predictor.infer(inferRequestOf(read, facts, askerOf(call)));
  return writeInferProto(answerOf(model, facts, read, response), read.isRawIn);
}

/** `raw_input_contents`, which are taken as they are. */
const FLAT: FlatFields = new Map([[58, "flat"]]);

function readInfer({ codecs }: Plane, message: Buffer): ProtoInferCall | Promise<ProtoInferCall> {
  return isLargeMessage(message, FLAT)
    ? codecs.run("v2-proto-read", message)
    : readInferProto(message);
}

function askerOf(call: GrpcCall): Parameters<typeof inferRequestOf>[2] {
  return { caller: call, span: call.span, headers: () => call.textHeaders };
}

/** Answers of one stream come in the order of its requests; a request that fails is a message, and the stream goes on. */
function streamMethod(plane: Plane): GrpcMethod {
  const turns = new WeakMap<GrpcCall, { last: Promise<void>; waiting: number }>();
  return {
    name: "v2-stream",
    takesMany: true,
    onMessage: (call, message) => {
      const turn = turns.get(call) ?? { last: Promise.resolve(), waiting: 0 };
      turns.set(call, turn);
      if (turn.waiting >= MAX_WAITING) {
        call.fail({
          status: "RESOURCE_EXHAUSTED",
          message: "too many requests of one stream wait",
        });
        return;
      }
      turn.waiting += 1;
      turn.last = turn.last
        .then(async () => answerOne(plane, call, message))
        .finally(() => (turn.waiting -= 1));
    },
    onEnd: (call) => {
      void (turns.get(call)?.last ?? Promise.resolve()).then(() => call.finish()); // `answerOne` never rejects
    },
  };
}

async function answerOne(plane: Plane, call: GrpcCall, message: Buffer): Promise<void> {
  let read: ProtoInferCall | undefined;
  try {
    if (call.status !== undefined) return;
    read = await readInfer(plane, message);
    const model = await modelForCall(plane.models, read.model, read.version);
    const { predictor } = model;
    const facts = predictor.describe();
    checkTakes(model, "tensors", PROTOCOL);
    const request = inferRequestOf(read, facts, askerOf(call));
    for await (const response of answersOf(predictor, request)) {
      if (call.status !== undefined) return;
      call.write(writeStreamAnswer(answerOf(model, facts, read, response), read.isRawIn));
    }
  } catch (error) {
    const { message: text } = failureFor(plane, call, error);
    call.write(writeStreamAnswer({ error: text, id: read?.id }, false));
  }
}

/** Answers one message of a call. What it throws becomes the call's status. */
type UnaryAnswer = (message: Buffer, call: GrpcCall) => Uint8Array | Promise<Uint8Array>;

/**
 * Makes methods that answer each message by itself. The name is the endpoint's in metrics and logs. Messages that only ask for something are
 * read where they come in, and may have few bytes.
 */
export function unaryMethods(
  plane: Plane,
): (name: string, answer: UnaryAnswer, maxMessageBytes?: number) => GrpcMethod {
  return (name, answer, maxMessageBytes = SMALL_MESSAGE_BYTES) => ({
    ...{ name, maxMessageBytes },
    onMessage: (call, message) => {
      const start = async (): Promise<Uint8Array> => answer(message, call);
      start().then(
        (reply) => call.reply(reply),
        (error: unknown) => call.fail(failureFor(plane, call, error)),
      );
    },
  });
}

/** What a client is told about an error; bugs and the server's own faults go to the log too. */
function failureFor(plane: Plane, call: GrpcCall, error: unknown): GrpcFailure {
  if (error instanceof WireError)
    return {
      status: "INVALID_ARGUMENT",
      message: `read the request: it is no message: ${error.message}`,
    };
  const isBug = !isToolError(error);
  const { grpc: status, http } = ERROR_CODES[isBug ? "INTERNAL" : error.code];
  if (http >= 500) plane.onFailure(error, { isBug, requestId: call.requestId });
  if (isBug) return { status, message: "internal error" };
  return {
    status,
    message: stripControls(error instanceof ComponentError ? error.failure.message : error.message),
  };
}

/** `{string name = 1; string version = 2}`. */
function nameIn(message: Buffer): [name: string, version: string | undefined] {
  const reader = new WireReader(message);
  let name = "";
  let version = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) name = reader.string();
    else if (tag === 18) version = reader.string();
    else reader.skip(tag);
  }
  return [name, version === "" ? undefined : version];
}

/** `RepositoryIndexRequest.ready`. */
function truthIn(message: Buffer): boolean {
  const reader = new WireReader(message);
  let value = false;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 16) value = reader.bool();
    else reader.skip(tag);
  }
  return value;
}

/** Name of the model to load or unload. @throws InferenceError `REQUEST_INVALID` for parameters, which would bring code or configuration */
function controlledIn(message: Buffer): string {
  const reader = new WireReader(message);
  let name = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 18) name = reader.string();
    else if (tag === 26) checkControl(reader.bytes());
    else reader.skip(tag);
  }
  return name;
}

function checkControl(entry: Buffer): void {
  const [key] = nameIn(entry.subarray(0, keyEnd(entry)));
  if (key !== "unload_dependents")
    throw requestInvalid(
      `the parameter "${key.slice(0, 100)}" is not served: no model or configuration is taken from clients`,
    );
}

/** Where the key of a map's entry ends, which stands first. */
function keyEnd(entry: Buffer): number {
  const reader = new WireReader(entry);
  if (reader.tag() === 10) reader.bytes();
  return reader.at;
}
