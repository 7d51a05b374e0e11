import { InferenceError } from "../../../ground/errors/index.ts";
import type { CallerOptions, ComponentRequest, ComponentResponse } from "../../runtime/index.ts";
import type { Exchange, Route } from "../http/index.ts";
import { formatTraceparent } from "../observe/index.ts";
import type { Failure } from "../seldon/failure.ts";

/** Who runs the model, and who says what an error looks like from outside. */
export interface UaiCaller {
  call(request: ComponentRequest, caller: CallerOptions): Promise<ComponentResponse>;
  failure(error: unknown, requestId?: string): Failure;
}

const TEXT = "text/plain; charset=utf-8";

/** `POST /service`: the body, whatever it is, is one request; its answer is the body that comes back. `curl -T FILE` sends it with PUT. @see docs/guide/from-uai.md */
export function uaiRoutes(caller: UaiCaller): readonly (readonly [string, Route])[] {
  return [
    [
      "/service",
      { name: "service", methods: ["POST", "PUT"], handle: (exchange) => answer(caller, exchange) },
    ],
  ];
}

function answer(caller: UaiCaller, exchange: Exchange): void {
  const { requestId, span } = exchange;
  const request: ComponentRequest = {
    method: "predict",
    messages: [{ payload: { kind: "bytes", bytes: exchange.body }, names: [] }],
    ...(requestId !== undefined && { requestId }),
    ...(span !== undefined && { traceparent: formatTraceparent(span) }),
  };
  const fail = (error: unknown): void => refuse(exchange, caller.failure(error, requestId));
  try {
    caller
      .call(request, exchange)
      .then((response) => exchange.reply(replyOf(response)), fail)
      .catch(fail);
  } catch (error) {
    fail(error);
  }
}

/** What the worker made of an answer: its bytes, with status and type beside them. */
function replyOf({ message, tags }: ComponentResponse): {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
} {
  const { payload } = message;
  if (payload.kind !== "bytes")
    throw new InferenceError(
      "MODEL_FAILED",
      `answer /service: the class gave a payload of kind "${payload.kind}"`,
    );
  const about: unknown = JSON.parse(tags ?? "{}");
  const { status, contentType } = (typeof about === "object" && about !== null ? about : {}) as {
    readonly status?: unknown;
    readonly contentType?: unknown;
  }; // checked below
  return {
    status:
      typeof status === "number" && Number.isInteger(status) && status >= 200 && status <= 599
        ? status
        : 200,
    contentType:
      typeof contentType === "string" && /^[\x20-\x7e]+$/.test(contentType) ? contentType : TEXT,
    body: Buffer.from(payload.bytes.buffer, payload.bytes.byteOffset, payload.bytes.byteLength),
  };
}

function refuse(exchange: Exchange, { status, info, retryAfterSeconds }: Failure): void {
  const headers =
    retryAfterSeconds === undefined ? undefined : ["Retry-After", String(retryAfterSeconds)];
  exchange.reply({
    status,
    contentType: TEXT,
    body: Buffer.from(`${info}\n`),
    ...(headers !== undefined && { headers }),
  });
}
