import { startGrpcServer, type GrpcServer, type GrpcServerOptions } from "./grpc/index.ts";
import { seldonGrpcMethods } from "./seldon/seldon-grpc.ts";
import type { SeldonApi } from "./seldon/seldon-api.ts";

export interface GrpcListening extends Omit<GrpcServerOptions, "methods"> {
  readonly api: SeldonApi;
}

/** Serves every gRPC service of the contract on one port. @throws ToolError `PORT_TAKEN` */
export function listenGrpc({ api, ...options }: GrpcListening): Promise<GrpcServer> {
  return startGrpcServer({ ...options, methods: seldonGrpcMethods(api) });
}
