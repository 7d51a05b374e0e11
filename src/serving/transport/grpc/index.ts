export type { ProtoFile } from "./descriptors.ts";
export { GrpcCall, SMALL_MESSAGE_BYTES, type GrpcMethod } from "./grpc-call.ts";
export { startGrpcServer, type GrpcServer, type GrpcServerOptions } from "./grpc-server.ts";
export { HEALTH_PROTO, healthMethods } from "./health.ts";
export { reflectionMethods } from "./reflection.ts";
export type { GrpcFailure } from "./status.ts";
export { ANY, EMPTY, STRUCT } from "./well-known.ts";
