export { CODECS, type CodecInput, type CodecName, type CodecOutput } from "./codecs/table.ts";
export { postError, receiveError, type PostedError } from "./codecs/codec-errors.ts";
export type { Codecs } from "./codecs/codecs.ts";
export type { JsonNode } from "./json/index.ts";
export {
  ALL_BRANCHES,
  branchIn,
  feedbackRouting,
  NO_BRANCH,
  nodeOf,
  withRouting,
} from "./seldon/index.ts";
export { examplePath } from "./sample.ts";
export type {
  ApiModel,
  FailureNote,
  GrpcServices,
  Json,
  LogSwitches,
  Plane,
  Protocol,
} from "./protocol.ts";
export {
  DEFAULT_SELDON_SETTINGS,
  nodeLabels,
  splitImage,
  type SeldonSettings,
} from "./seldon-service/settings.ts";
export { defaultPortsOf } from "./default-ports.ts";
export { SELDON_PROTO } from "./seldon-service/seldon-descriptors.ts";
export {
  seldonJsonToProto,
  seldonProtoToJson,
  type SeldonMessageName,
} from "./seldon-service/seldon-json-mapping.ts";
export { SeldonApi } from "./seldon-service/seldon-api.ts";
export { createSeldonNode } from "./seldon-service/seldon-node.ts";
export { createSeldonRun } from "./seldon-service/seldon-run.ts";
export { PROTOCOLS, protocolOf } from "./table.ts";
export { readRequests } from "./v2/read-requests.ts";
