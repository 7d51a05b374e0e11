import { InferenceError } from "../../../ground/errors/index.ts";
import { isRaw, type InferRequest, type InferResponse } from "../../plane/index.ts";
import type { Exchange, Route } from "../http/index.ts";
import type { Failure } from "../seldon/failure.ts";

/** Who runs the model, and who says what an error looks like from outside. */
export interface UaiCaller {
  infer(request: InferRequest): Promise<InferResponse>;
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
  const { requestId, span, body } = exchange;
  const request: InferRequest = {
    inputs: { contentType: exchange.header("content-type") ?? "", bytes: body },
    caller: exchange,
    ...(requestId !== undefined && { id: requestId }),
    ...(span !== undefined && { trace: span }),
  };
  const fail = (error: unknown): void => refuse(exchange, caller.failure(error, requestId));
  try {
    caller
      .infer(request)
      .then((response) => exchange.reply(replyOf(response)), fail)
      .catch(fail);
  } catch (error) {
    fail(error);
  }
}

function replyOf({ outputs }: InferResponse): {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
} {
  if (!isRaw(outputs))
    throw new InferenceError("MODEL_FAILED", "answer /service: the model gave tensors, not a body");
  const { status, contentType, bytes } = outputs;
  return {
    status,
    contentType: contentType === "" ? TEXT : contentType,
    body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
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
