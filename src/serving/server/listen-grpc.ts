import type { GrpcServices } from "../protocols/index.ts";
import {
  HEALTH_PROTO,
  healthMethods,
  reflectionMethods,
  startGrpcServer,
  type GrpcCall,
  type GrpcServer,
  type GrpcServerOptions,
} from "../transport/index.ts";
import { readWaiting } from "./waiting-headers.ts";
import type { Observer } from "./observe/index.ts";

export interface GrpcListening extends Pick<
  GrpcServerOptions,
  "host" | "port" | "maxMessageBytes" | "bodies" | "maxConnections" | "tls" | "admit"
> {
  /** Of all protocols. */
  readonly services: readonly GrpcServices[];
  readonly isReady: () => boolean;
  readonly observer: Observer;
}

/** Serves the gRPC services of all protocols on one port, and beside them health and reflection. @throws ToolError `PORT_TAKEN` */
export function listenGrpc({
  services,
  isReady,
  observer,
  ...options
}: GrpcListening): Promise<GrpcServer> {
  const files = services.flatMap((one) => one.files);
  const names = files.flatMap((file) =>
    Object.keys(file.services ?? {}).map((name) => `${file.package}.${name}`),
  );
  const methods = new Map([
    ...services.flatMap((one) => [...one.methods]),
    ...healthMethods({ services: names, isReady }),
    ...reflectionMethods([...files, HEALTH_PROTO]),
  ]);
  return startGrpcServer({ ...options, methods, ...watched(observer) });
}

/** Shows every call of a named method to the observer. */
function watched(observer: Observer): Pick<GrpcServerOptions, "onCall" | "onAnswer"> {
  return {
    onCall: (call) => {
      call.requestId = call.header("seldon-puid") ?? observer.nextRequestId();
      call.span = observer.begin(call.header("traceparent"));
      const wrong = readWaiting(call);
      if (wrong !== undefined) call.fail({ status: "INVALID_ARGUMENT", message: wrong.message });
    },
    onAnswer: (call) => {
      if (call.endpoint !== undefined) observer.end(answeredOf(call, call.endpoint));
    },
  };
}

/** Statuses that say that the server, or the model, is at fault. */
const ERRORS: ReadonlySet<string> = new Set(["UNKNOWN", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"]);
const TYPE = "application/grpc+proto";

function answeredOf(call: GrpcCall, endpoint: string): Parameters<Observer["end"]>[0] {
  const { path, startedAt, requestId, span, status = "UNKNOWN" } = call;
  return {
    ...{ endpoint, path, startedAt, requestId, span },
    method: "unary",
    code: status,
    isError: ERRORS.has(status),
    request: () => ({ contentType: TYPE, bytes: call.received ?? NO_BYTES }),
    response: () => ({ contentType: TYPE, bytes: call.sent ?? NO_BYTES }),
  };
}

const NO_BYTES = new Uint8Array(0);
