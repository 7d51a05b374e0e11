export { countCalls } from "./call-metrics.ts";
export type { GraphAnswer, NodePeer, NodeRun, RunAnswer, RunStep } from "./contracts.ts";
export { GraphExecutor } from "./executor.ts";
export { graphGrpcMethods } from "./graph-grpc.ts";
export { graphRoutes, refuseGraphRequest } from "./graph-routes.ts";
export { straightSteps } from "./node-steps.ts";
export { createRemoteGrpcNode } from "./remote-grpc-node.ts";
export { createRemoteNode } from "./remote-node.ts";
