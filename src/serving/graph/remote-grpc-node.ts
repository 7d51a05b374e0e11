import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { InferenceError, stripControls } from "../../ground/errors/index.ts";
import type { ComponentMethod } from "../plane/index.ts";
import {
  seldonJsonToProto,
  seldonProtoToJson,
  type SeldonMessageName,
} from "../protocols/index.ts";
import type { GraphAnswer, NodeCall, NodePeer } from "./contracts.ts";
import { failureAnswer } from "./failure.ts";
import { answersConnection, passedHeaders } from "./remote-node.ts";

/** A call in the wrapper's gRPC interface. */
interface GrpcPath {
  readonly path: string;
  readonly request: SeldonMessageName;
  readonly answer: SeldonMessageName;
}

/** Services that the executor asks nodes by. @see seldon prediction.proto */
const PATHS: Readonly<Record<Exclude<ComponentMethod, "health-status">, GrpcPath>> = {
  predict: messagePath("Model/Predict"),
  "transform-input": messagePath("Transformer/TransformInput"),
  "transform-output": messagePath("OutputTransformer/TransformOutput"),
  route: messagePath("Router/Route"),
  aggregate: { ...messagePath("Combiner/Aggregate"), request: "SeldonMessageList" },
  "send-feedback": { ...messagePath("Model/SendFeedback"), request: "Feedback" },
  metadata: {
    path: "/seldon.protos.Model/Metadata",
    request: "SeldonModelMetadataRequest",
    answer: "SeldonModelMetadata",
  },
};

const PREFIX_BYTES = 5;
const GRPC_OK = "0";

export interface RemoteGrpcNodeOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Of one answer; a longer one is an error. */
  readonly maxAnswerBytes: number;
}

/**
 * A node that another server runs, asked over gRPC on one connection, which is opened with the first call and again after it has ended. Messages are
 * turned from their JSON form and back. An error of the node is 500 with what it said.
 */
export function createRemoteGrpcNode(options: RemoteGrpcNodeOptions): NodePeer & Disposable {
  const { host, port } = options;
  const authority = host.includes(":") ? `[${host}]` : host;
  let session: ClientHttp2Session | undefined;
  const open = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    session = connect(`http://${authority}:${port}`);
    session.on("error", () => undefined); // its calls fail with it, and the next one opens another
    session.unref();
    return session;
  };
  return {
    call: (call) => callRemote(call, open, options),
    isReady: () => answersConnection(host, port),
    [Symbol.dispose]: () => session?.destroy(),
  };
}

async function callRemote(
  { method, message, caller, signal }: NodeCall,
  open: () => ClientHttp2Session,
  options: RemoteGrpcNodeOptions,
): Promise<GraphAnswer> {
  if (method === "health-status") return { status: 200, contentType: JSON_TYPE, body: HEALTHY };
  const { path, request, answer } = PATHS[method];
  const stream = open().request(
    {
      ...passedHeaders(caller),
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: path,
      "content-type": "application/grpc",
      te: "trailers",
    },
    signal === undefined ? {} : { signal },
  );
  stream.end(framed(seldonJsonToProto(jsonOf(method, message.body), request)));
  const { status, text, body } = await readAnswer(stream, options);
  if (status !== GRPC_OK) return failureAnswer(stripControls(text));
  return { status: 200, contentType: JSON_TYPE, body: seldonProtoToJson(body, answer) };
}

const JSON_TYPE = "application/json";
const HEALTHY = Buffer.from("{}");

function messagePath(name: string): GrpcPath {
  return { path: `/seldon.protos.${name}`, request: "SeldonMessage", answer: "SeldonMessage" };
}

/** A combiner's request is a bare list between nodes, and a message with one over gRPC. */
function jsonOf(method: ComponentMethod, body: Buffer): Buffer {
  if (method === "metadata") return Buffer.from("{}");
  if (method !== "aggregate" || body[0] !== 0x5b) return body;
  return Buffer.concat([Buffer.from('{"seldonMessages":'), body, Buffer.from("}")]);
}

/** One message of gRPC's stream: no compression, its length, its bytes. */
function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
}

interface GrpcAnswer {
  /** Decimal code of gRPC. */
  readonly status: string;
  readonly text: string;
  readonly body: Buffer;
}

/** @throws InferenceError `MODEL_NOT_READY` where there is no answer, `LIMIT_EXCEEDED` for one that is too long */
async function readAnswer(
  stream: ClientHttp2Stream,
  { name, maxAnswerBytes }: RemoteGrpcNodeOptions,
): Promise<GrpcAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  let status: string | undefined;
  let text = "";
  const take = (headers: Readonly<Record<string, unknown>>): void => {
    status ??= textIn(headers, "grpc-status");
    text = text === "" ? decodeURIComponentSafely(textIn(headers, "grpc-message") ?? "") : text;
  };
  stream.on("response", take);
  stream.on("trailers", take);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > maxAnswerBytes + PREFIX_BYTES)
        throw new InferenceError(
          "LIMIT_EXCEEDED",
          `call the node "${name}": its answer is longer than ${maxAnswerBytes} bytes`,
        );
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof InferenceError) throw error;
    const why = error instanceof Error ? error.message : "the connection ended";
    throw new InferenceError("MODEL_NOT_READY", `call the node "${name}": ${why}`, {
      cause: error,
    });
  } finally {
    stream.destroy();
  }
  return { status: status ?? "2", text, body: messageIn(Buffer.concat(chunks), name) };
}

/** The message of a stream that has one or, after an error, none. @throws InferenceError `MODEL_FAILED` */
function messageIn(bytes: Buffer, name: string): Buffer {
  if (bytes.byteLength === 0) return bytes;
  const isWhole =
    bytes.byteLength >= PREFIX_BYTES &&
    bytes[0] === 0 &&
    bytes.readUInt32BE(1) === bytes.byteLength - PREFIX_BYTES;
  if (!isWhole)
    throw new InferenceError("MODEL_FAILED", `call the node "${name}": its answer is no message`);
  return bytes.subarray(PREFIX_BYTES);
}

function textIn(headers: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
}

/** gRPC writes characters beyond ASCII in percents. */
function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
