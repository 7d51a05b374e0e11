export { GrpcCall, type GrpcMethod } from "./grpc-call.ts";
export { startGrpcServer, type GrpcServer, type GrpcServerOptions } from "./grpc-server.ts";
export { GRPC_STATUS, type GrpcFailure } from "./status.ts";
