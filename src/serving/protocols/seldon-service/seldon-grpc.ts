import { ERROR_CODES, isToolError, stripControls } from "../../../ground/errors/index.ts";
import { WireError } from "../../../ground/wire/index.ts";
import { SeldonProtoParser, writeModelMetadata, writeSeldonMessage } from "../protobuf/index.ts";
import { isLargeMessage, type FlatFields } from "../codecs/large-message.ts";
import { withNumbers } from "../codecs/posted-nodes.ts";
import { SeldonError, type SeldonCall } from "../seldon/index.ts";
import { ComponentError, type ComponentMethod } from "../../plane/index.ts";
import type { GrpcCall, GrpcFailure, GrpcMethod } from "../../transport/index.ts";
import type { SeldonApi } from "./seldon-api.ts";

/** Services of the package `seldon.protos` with their methods. All are there whatever the component is, as in the wrapper. */
const METHODS: readonly (readonly [service: string, method: string, call: ComponentMethod])[] = [
  ["Model", "Predict", "predict"],
  ["Model", "SendFeedback", "send-feedback"],
  ["Seldon", "Predict", "predict"],
  ["Seldon", "SendFeedback", "send-feedback"],
  ["Router", "Route", "route"],
  ["Router", "SendFeedback", "send-feedback"],
  ["Transformer", "TransformInput", "transform-input"],
  ["OutputTransformer", "TransformOutput", "transform-output"],
  ["Combiner", "Aggregate", "aggregate"],
  ["Generic", "TransformInput", "transform-input"],
  ["Generic", "TransformOutput", "transform-output"],
  ["Generic", "Route", "route"],
  ["Generic", "Aggregate", "aggregate"],
  ["Generic", "SendFeedback", "send-feedback"],
];

/** Names that REST has given to methods in metrics and logs. */
const ENDPOINTS: Partial<Readonly<Record<ComponentMethod, string>>> = {
  predict: "predictions",
  "send-feedback": "feedback",
};

/** `binData` and `strData` of a message, and `values` of the tensor in its `data`. */
const FLAT: FlatFields = new Map<number, "flat" | FlatFields>([
  [34, "flat"],
  [42, "flat"],
  [26, new Map([[18, new Map([[18, "flat"]])]])],
]);

/** Every gRPC method of the contract, by path. */
export function seldonGrpcMethods(api: SeldonApi): ReadonlyMap<string, GrpcMethod> {
  const parser = new SeldonProtoParser();
  const methods = new Map<string, GrpcMethod>();
  for (const [service, name, method] of METHODS) {
    methods.set(`/seldon.protos.${service}/${name}`, {
      name: ENDPOINTS[method] ?? method,
      onMessage: (call, message) =>
        handle(api, call, () => parse(api, parser, { method, message })),
    });
  }
  const metadata: GrpcMethod = { name: "metadata", onMessage: (call) => answerMetadata(api, call) };
  methods.set("/seldon.protos.Model/Metadata", metadata);
  methods.set("/seldon.protos.Seldon/ModelMetadata", metadata);
  const graph = {
    status: "UNKNOWN",
    message: `${CALLING}GraphMetadata not available on the Model level.`,
  } as const;
  methods.set("/seldon.protos.Seldon/GraphMetadata", {
    name: "metadata",
    onMessage: (call) => call.fail(graph),
  });
  return methods;
}

function parse(
  api: SeldonApi,
  parser: SeldonProtoParser,
  { method, message }: { readonly method: ComponentMethod; readonly message: Buffer },
): SeldonCall | Promise<SeldonCall> {
  const { isStrict, unitId = "0" } = api.settings;
  const wanted = api.graph.facts.wantsWhole;
  const whole = wanted?.grpc.includes(method) === true ? (wanted.grpcForm ?? "proto") : undefined;
  const options = { method, whole, isStrict, unitId };
  return api.codecs !== undefined && isLargeMessage(message, FLAT)
    ? api.codecs.run("seldon-proto-read", { body: message, options }).then(withNumbers)
    : parser.parse(message, options);
}

function handle(
  api: SeldonApi,
  call: GrpcCall,
  read: () => SeldonCall | Promise<SeldonCall>,
): void {
  try {
    const found = read();
    if (!(found instanceof Promise)) ask(api, call, found);
    else
      found.then(
        (late) => {
          if (call.status === undefined) ask(api, call, late);
        },
        (error: unknown) => refuse(api, call, error),
      );
  } catch (error) {
    refuse(api, call, error);
  }
}

function ask(api: SeldonApi, call: GrpcCall, { request, context }: SeldonCall): void {
  try {
    if (typeof context.puid === "string") call.requestId = context.puid;
    if (request.method === "send-feedback") api.countReward(request.reward ?? 0);
    if (api.settings.checksShapes) api.check(request);
    const { requestId, span } = call;
    const named = {
      ...request,
      ...(requestId !== undefined && { requestId }),
      ...(span !== undefined && { trace: span }),
    };
    api.graph
      .call(named, {
        whileWaiting: () => call.whileWaiting(),
        answerHeader: (name, value) => call.answerHeader(name, value),
      })
      .then(
        (response) => {
          try {
            call.reply(
              writeSeldonMessage(
                {
                  method: request.method,
                  response,
                  context,
                  own: api.own(request.method, response),
                },
                api.settings,
              ),
            );
          } catch (error) {
            refuse(api, call, error);
          }
        },
        (error: unknown) => refuse(api, call, error),
      );
  } catch (error) {
    refuse(api, call, error);
  }
}

function answerMetadata(api: SeldonApi, call: GrpcCall): void {
  try {
    call.reply(writeModelMetadata(api.metadataNode()));
  } catch (error) {
    if (api.settings.isStrict && error instanceof SeldonError) call.reply(new Uint8Array(0)); // what the wrapper makes of bad metadata
    else refuse(api, call, error);
  }
}

function refuse(api: SeldonApi, call: GrpcCall, error: unknown): void {
  if (call.status === undefined) call.fail(grpcFailureOf(error, api, call.requestId));
}

const CALLING = "Exception calling application: ";
const DESERIALIZING = "Exception deserializing request!";

/**
 * What a gRPC client is told. Whatever the wrapper itself or user code raises is UNKNOWN there, and clients may depend on it; the reason
 * and the status of the same failure over REST stand in trailers. The rest has the status of its error code.
 */
function grpcFailureOf(error: unknown, api: SeldonApi, requestId: string | undefined): GrpcFailure {
  const { status, info, reason, retryAfterSeconds } = api.failure(error, requestId);
  const trailers = { "seldon-status": String(status), "seldon-reason": reason };
  if (error instanceof WireError)
    return {
      status: "INTERNAL",
      message: api.settings.isStrict ? DESERIALIZING : `${DESERIALIZING} ${info}`,
      trailers,
    };
  if (error instanceof SeldonError || error instanceof ComponentError) {
    return {
      status: "UNKNOWN",
      message: `${CALLING}${api.settings.isStrict ? strictInfo(error, info) : info || typeOf(error)}`,
      trailers,
    };
  }
  if (!isToolError(error)) return { status: "INTERNAL", message: "internal error", trailers };
  const pushback =
    retryAfterSeconds === undefined
      ? {}
      : { "grpc-retry-pushback-ms": String(retryAfterSeconds * 1000) };
  return {
    status: ERROR_CODES[error.code].grpc,
    message: stripControls(error.message),
    trailers: { ...trailers, ...pushback },
  };
}

/** The wrapper's own errors have no text there. */
function strictInfo(error: SeldonError | ComponentError, info: string): string {
  const isRefusal = error instanceof SeldonError ? error.status < 500 : error.failure.isRefusal;
  return isRefusal ? "" : info;
}

function typeOf(error: SeldonError | ComponentError): string {
  return error instanceof ComponentError ? error.failure.type : error.reason;
}
