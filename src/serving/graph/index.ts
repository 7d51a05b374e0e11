export { countCalls } from "./call-metrics.ts";
export type { NodePeer } from "./contracts.ts";
export { GraphExecutor } from "./executor.ts";
export { graphGrpcMethods } from "./graph-grpc.ts";
export { graphRoutes, refuseGraphRequest } from "./graph-routes.ts";
export { createRemoteNode } from "./remote-node.ts";
