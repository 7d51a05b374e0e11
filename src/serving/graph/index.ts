export { countCalls } from "./call-metrics.ts";
export type { GraphAnswer, GraphCaller, GraphMessage, NodeCall, NodePeer } from "./contracts.ts";
export { GraphExecutor, type AnsweredCall, type ExecutorOptions } from "./executor.ts";
export { graphGrpcMethods } from "./graph-grpc.ts";
export { graphRoutes, refuseGraphRequest, type GraphRoutesOptions } from "./graph-routes.ts";
export { createRemoteNode, type RemoteNodeOptions } from "./remote-node.ts";
