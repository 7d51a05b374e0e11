import type { Access, BodyBudget } from "../../../ground/http/index.ts";
import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { ToolError } from "../../../ground/errors/index.ts";
import type { SpanContext } from "../../plane/index.ts";
import { MessageReader } from "./message-reader.ts";
import { GRPC_STATUS, messageText, timeoutMs, type GrpcFailure } from "./status.ts";

/** What is answered under one path. */
export interface GrpcMethod {
  /** What it is called in metrics, logs and traces. A method without a name is not seen there. */
  readonly name?: string;
  /** Who may call it, where the server lets in only some. Default: callers. */
  readonly access?: Access;
  /** Of one message, in bytes, where that is less than the server takes. Default: what the server takes. */
  readonly maxMessageBytes?: number;
  /** True when a client may send more than one message. Default false: a second one is refused. */
  readonly takesMany?: boolean;
  /** True when a call ends only when its client ends it; a stopping server ends it itself. Default false. */
  readonly isEndless?: boolean;
  /** Called for each message of the client; answers now or later, by `reply`, `write` and `finish`, or `fail`. Must not throw. */
  readonly onMessage: (call: GrpcCall, message: Buffer) => void;
  /** Called when the client has sent everything; for methods that take many messages. Must not throw. */
  readonly onEnd?: (call: GrpcCall) => void;
}

/** A call that was let in. */
export interface Admitted {
  /** Counts a further message of it; why that may not be answered. */
  another(): GrpcFailure | undefined;
}

/** Of a message that only asks for something, such as a name: such are read by the thread that answers probes. */
export const SMALL_MESSAGE_BYTES: number = 2 ** 20;

/** What all calls of a server share. */
export interface CallSide {
  readonly maxMessageBytes: number;
  /** Memory for all requests that are coming in; one that finds no more of it is refused. */
  readonly bodies: BodyBudget;
  /** Whether a call of a method that is not open may be answered; asked before its messages are read. Default: all may. */
  readonly admit?:
    | ((headers: IncomingHttpHeaders, access: Access) => Admitted | GrpcFailure)
    | undefined;
  /** Called once, when a call has been answered, refused or given up by the client. Must not throw. */
  readonly onOver: (call: GrpcCall) => void;
}

const TYPE = "application/grpc";
const HEADERS: OutgoingHttpHeaders = {
  ":status": 200,
  "content-type": TYPE,
  "grpc-accept-encoding": "identity,gzip,deflate",
};
const OK: OutgoingHttpHeaders = { "grpc-status": "0" };
const WAIT = { waitForTrailers: true };
const PREFIX_BYTES = 5;
/** Up to this size an answer is copied behind its prefix; beyond, both are written as they are. */
const COPIED_BYTES = 32_768;
/** An id that may stand in a header as it is. */
const SAFE_ID = /^[\x21-\x7e]{1,128}$/;

/** One call and the way to answer it, once. */
export class GrpcCall {
  readonly path: string;
  /** In ms of `performance.now()`. */
  readonly startedAt: number = performance.now();
  /** The id of this call in logs; goes back in the header `seldon-puid`. */
  requestId: string | undefined = undefined;
  /** When the answer is of no use any more, in ms of `performance.now()`; the client's own deadline is seen to besides. */
  deadlineAt: number | undefined = undefined;
  /** 1 is the most urgent; absent for what is not urgent. */
  priority: number | undefined = undefined;
  /** The span of this call; absent when tracing is off. */
  span: SpanContext | undefined = undefined;
  /** The message that came last, for the request log. */
  received: Buffer | undefined = undefined;
  /** What was answered, for the request log. */
  sent: Uint8Array | undefined = undefined;
  /** Where its server keeps it while it is under way. */
  place: number | undefined = undefined;
  /** Name of the method, for metrics and logs; absent for what is not to be seen there. */
  readonly endpoint: string | undefined;
  /** True for a call that its client ends. */
  readonly isEndless: boolean;
  readonly #headers: IncomingHttpHeaders;
  readonly #stream: ServerHttp2Stream;
  readonly #side: CallSide;
  #status: keyof typeof GRPC_STATUS | undefined;
  #trailers: OutgoingHttpHeaders = OK;
  #hasResponded = false;
  #isReceived = false;
  #messages = 0;
  #admitted: Admitted | undefined;
  #reader: MessageReader | undefined;
  #heldBytes = 0;
  #abort: AbortController | undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(
    stream: ServerHttp2Stream,
    {
      headers,
      method,
      side,
    }: { headers: IncomingHttpHeaders; method: GrpcMethod | undefined; side: CallSide },
  ) {
    this.#stream = stream;
    this.#headers = headers;
    this.#side = side;
    this.path = headers[":path"] ?? "";
    this.endpoint = method?.name;
    this.isEndless = method?.isEndless === true;
    stream.on("error", ignore); // "close" follows, and says enough
    stream.on("close", () => this.#closed());
    stream.on("wantTrailers", () => this.#isGone || stream.sendTrailers(this.#trailers));
    const type = headers["content-type"];
    if (headers[":method"] !== "POST" || type === undefined || !isGrpc(type))
      this.#refuseHttp(headers[":method"] === "POST" ? 415 : 405);
    else if (method === undefined)
      this.fail({ status: "UNIMPLEMENTED", message: "Method not found!" });
    else if (this.#isAdmitted(method)) this.#receive(method);
  }

  /** How the call ended; absent while it is under way. */
  get status(): keyof typeof GRPC_STATUS | undefined {
    return this.#status;
  }

  /** True while messages of the client are still to come. */
  get isReceiving(): boolean {
    return this.#status === undefined && !this.#isReceived && this.#messages === 0;
  }

  /** Aborted when the client gives up or its deadline passes. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#status !== undefined) this.#abandon(this.#status);
    }
    return this.#abort.signal;
  }

  /** The same for whoever lets the call wait. */
  whileWaiting(): AbortSignal {
    return this.signal;
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return typeof value === "string" ? value : value?.join(", ");
  }

  /** Those of the request that are text, names in lower case. */
  get textHeaders(): Readonly<Record<string, string>> {
    const all = Object.entries(this.#headers).filter(([name]) => !name.startsWith(":"));
    return Object.fromEntries(
      all.map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]),
    );
  }

  /** Adds a trailer to the answer, failed or not; the name in lower case, the value printable ASCII. */
  answerHeader(name: string, value: string): void {
    this.#trailers = { ...this.#trailers, [name]: value };
  }

  /** Answers with one message and ends the call; after its end nothing is sent. */
  reply(message: Uint8Array): void {
    if (this.#status !== undefined) return;
    this.sent = message;
    this.#end("OK");
    if (this.#isGone) return;
    this.#respond();
    if (message.byteLength > COPIED_BYTES) {
      this.#stream.write(prefixOf(message, PREFIX_BYTES));
      this.#stream.end(message);
    } else this.#stream.end(framed(message));
  }

  /** Sends one of several messages. */
  write(message: Uint8Array): void {
    if (this.#status !== undefined || this.#isGone) return;
    this.#respond();
    this.#stream.write(framed(message));
  }

  /** Ends a call of several messages. */
  finish(): void {
    if (this.#status !== undefined) return;
    this.#end("OK");
    if (this.#isGone) return;
    this.#respond();
    this.#stream.end();
  }

  /** Ends the call with an error. */
  fail({ status, message, trailers }: GrpcFailure): void {
    if (this.#status !== undefined) return;
    this.#end(status);
    if (this.#isGone) return;
    const further = Object.entries(trailers ?? {}).map(
      ([name, value]) => [name, messageText(value)] as const,
    );
    const own = {
      ...this.#trailers,
      ...Object.fromEntries(further),
      "grpc-status": String(GRPC_STATUS[status]),
      ...(message !== "" && { "grpc-message": messageText(message) }),
    };
    if (this.#hasResponded) {
      this.#trailers = own;
      this.#stream.end();
    } else {
      this.#stream.respond({ ...HEADERS, ...own }, { endStream: true });
      if (!this.#isReceived) this.#stream.close(constants.NGHTTP2_NO_ERROR); // what is still coming is not wanted
    }
  }

  #respond(): void {
    if (this.#hasResponded) return;
    this.#hasResponded = true;
    const { requestId } = this;
    this.#stream.respond(
      requestId !== undefined && SAFE_ID.test(requestId)
        ? { ...HEADERS, "seldon-puid": requestId }
        : HEADERS,
      WAIT,
    );
  }

  #refuseHttp(status: number): void {
    this.#end("UNIMPLEMENTED");
    this.#stream.respond({ ":status": status }, { endStream: true });
    this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #isAdmitted({ access = "caller" }: GrpcMethod): boolean {
    if (access === "open") return true;
    const admitted = this.#side.admit?.(this.#headers, access);
    if (admitted === undefined) return true;
    if ("status" in admitted) {
      this.fail(admitted);
      return false;
    }
    this.#admitted = admitted;
    return true;
  }

  #receive(method: GrpcMethod): void {
    const timeout = timeoutMs(this.header("grpc-timeout"));
    if (timeout !== undefined && !this.#startDeadline(timeout)) return;
    const encoding = this.header("grpc-encoding");
    if (
      encoding !== undefined &&
      encoding !== "identity" &&
      encoding !== "gzip" &&
      encoding !== "deflate"
    ) {
      this.fail({
        status: "UNIMPLEMENTED",
        message: `Compression method "${encoding}" is not supported`,
      });
      return;
    }
    const reader = new MessageReader({
      maxBytes: Math.min(this.#side.maxMessageBytes, method.maxMessageBytes ?? Infinity),
      encoding,
      onMessage: (message) => this.#take(method, message),
      onFailure: (failure) => this.fail(failure),
    });
    this.#reader = reader;
    this.#stream.on("data", (chunk: Buffer) => {
      reader.push(chunk);
      if (reader.heldBytes !== this.#heldBytes) this.#hold(reader.heldBytes);
    });
    this.#stream.on("end", () => {
      this.#isReceived = true;
      if (reader.settled === undefined) this.#received(method, reader);
      else void reader.settled.then(() => this.#received(method, reader)); // never rejects
    });
  }

  /** Keeps account of what waits for the rest of its message. */
  #hold(bytes: number): void {
    const { bodies } = this.#side;
    const more = bytes - this.#heldBytes;
    if (more > 0 && !bodies.take(more)) {
      this.fail({
        status: "RESOURCE_EXHAUSTED",
        message: "too many large requests come in at the same time",
      });
      return;
    }
    if (more < 0) bodies.give(-more);
    this.#heldBytes = bytes;
  }

  #take(method: GrpcMethod, message: Buffer): void {
    if (this.#status !== undefined) return;
    this.#messages += 1;
    this.received = message;
    const refused = this.#messages > 1 ? this.#another(method) : undefined;
    if (refused === undefined) method.onMessage(this, message);
    else this.fail(refused);
  }

  /** Why a message that is not the first is not answered. */
  #another(method: GrpcMethod): GrpcFailure | undefined {
    return method.takesMany === true
      ? this.#admitted?.another()
      : { status: "INTERNAL", message: "Too many request messages for a unary call" };
  }

  #received(method: GrpcMethod, reader: MessageReader): void {
    if (reader.heldBytes > 0)
      this.fail({ status: "INTERNAL", message: "the request ends inside a message" });
    else if (this.#messages === 0 && method.takesMany !== true)
      this.fail({ status: "INTERNAL", message: "the request carries no message" });
    else method.onEnd?.(this);
  }

  /** False when there is nothing left to wait for. */
  #startDeadline(ms: number): boolean {
    if (Number.isNaN(ms)) {
      this.fail({ status: "INTERNAL", message: "grpc-timeout is not a timeout" });
      return false;
    }
    const expire = (): void =>
      this.fail({ status: "DEADLINE_EXCEEDED", message: "Deadline Exceeded" });
    if (ms <= 0) expire();
    else if (ms < MAX_TIMER_MS) this.#deadline = setTimeout(expire, ms);
    return ms > 0;
  }

  #letGo(): void {
    this.#reader?.drop();
    this.#hold(0);
  }

  get #isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  #closed(): void {
    if (this.#status === undefined) this.#end("CANCELLED");
  }

  #end(status: keyof typeof GRPC_STATUS): void {
    this.#status = status;
    if (this.#heldBytes > 0) this.#letGo();
    if (this.#deadline !== undefined) clearTimeout(this.#deadline);
    this.#abandon(status);
    this.#side.onOver(this);
  }

  #abandon(status: keyof typeof GRPC_STATUS): void {
    if (status === "CANCELLED")
      this.#abort?.abort(new ToolError("INTERRUPTED", "call the model: the client has given up"));
    else if (status === "DEADLINE_EXCEEDED")
      this.#abort?.abort(
        new ToolError("TIMEOUT", "call the model: the client's deadline has passed"),
      );
  }
}

/** Node's timers hold no more. */
const MAX_TIMER_MS = 2 ** 31;

function ignore(): void {}

function isGrpc(type: string): boolean {
  return type === TYPE || type.startsWith(`${TYPE}+proto`) || type.startsWith(`${TYPE};`);
}

function framed(message: Uint8Array): Buffer {
  const bytes = prefixOf(message, PREFIX_BYTES + message.byteLength);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

function prefixOf(message: Uint8Array, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.byteLength, 1);
  return bytes;
}
