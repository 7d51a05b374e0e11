import { WireReader, WireWriter } from "../../../ground/wire/index.ts";
import type { ProtoFile } from "./descriptors.ts";
import { SMALL_MESSAGE_BYTES, type GrpcCall, type GrpcMethod } from "./grpc-call.ts";

/** The standard health service. @see https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export const HEALTH_PROTO: ProtoFile = {
  name: "grpc/health/v1/health.proto",
  package: "grpc.health.v1",
  messages: {
    HealthCheckRequest: ["string service = 1"],
    HealthCheckResponse: ["enum HealthCheckResponse.ServingStatus status = 1"],
  },
  enums: {
    "HealthCheckResponse.ServingStatus": ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"],
  },
  services: {
    Health: [
      "Check(HealthCheckRequest) HealthCheckResponse",
      "Watch(HealthCheckRequest) stream HealthCheckResponse",
    ],
  },
};

const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;
/** How long a change may stay unseen by those who watch. */
const LOOK_MS = 500;

export interface HealthOptions {
  /** Full names of the services that are answered here; the empty name stands for the whole server. */
  readonly services: readonly string[];
  readonly isReady: () => boolean;
}

/** Methods of the health service. User code is not asked. */
export function healthMethods({
  services,
  isReady,
}: HealthOptions): ReadonlyMap<string, GrpcMethod> {
  const known = new Set(["", ...services]);
  const stateOf = (service: string): number =>
    known.has(service) ? (isReady() ? SERVING : NOT_SERVING) : SERVICE_UNKNOWN;
  const watch = (call: GrpcCall, service: string): void => {
    let shown: number | undefined;
    const look = (): void => {
      const state = stateOf(service);
      if (call.status !== undefined) clearInterval(timer);
      else if (state !== shown) call.write(encodeState(state));
      shown = state;
    };
    const timer = setInterval(look, LOOK_MS).unref();
    look();
  };
  const check = (call: GrpcCall, service: string): void => {
    if (known.has(service)) call.reply(encodeState(stateOf(service)));
    else call.fail({ status: "NOT_FOUND", message: `the service "${service}" is not known` });
  };
  return new Map([
    ["/grpc.health.v1.Health/Check", withService(check)],
    ["/grpc.health.v1.Health/Watch", { ...withService(watch), isEndless: true }],
  ]);
}

function withService(handle: (call: GrpcCall, service: string) => void): GrpcMethod {
  return {
    access: "open",
    maxMessageBytes: SMALL_MESSAGE_BYTES,
    onMessage: (call, message) => {
      try {
        handle(call, readService(message));
      } catch {
        // the one thing that throws here is a message that is no protobuf
        call.fail({ status: "INTERNAL", message: "Exception deserializing request!" });
      }
    },
  };
}

function readService(message: Buffer): string {
  const reader = new WireReader(message);
  let service = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) service = reader.string();
    else reader.skip(tag);
  }
  return service;
}

function encodeState(state: number): Buffer {
  const writer = new WireWriter(8);
  writer.int(8, state);
  return writer.finish();
}
