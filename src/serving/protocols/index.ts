export type { JsonNode } from "./json/index.ts";
export { nodeOf } from "./seldon/index.ts";
export type {
  FailureNote,
  GrpcServices,
  Json,
  OpenApiPart,
  Plane,
  Protocol,
  SampleModel,
} from "./protocol.ts";
export {
  DEFAULT_SELDON_SETTINGS,
  nodeLabels,
  type SeldonSettings,
} from "./seldon-service/settings.ts";
export { PROTOCOLS, protocolOf } from "./table.ts";
