export type { FetchContext, FetchProgress, ImagePart, ImageParts } from "./contracts.ts";
export { fetchModel, type FetchedModel } from "./fetch-model.ts";
export { addToHostsFile, parseHosts } from "./hosts.ts";
export { limitsIn } from "./limits.ts";
export {
  isModelUri,
  parseModelUri,
  sourceFromEnvironment,
  type ModelSource,
} from "./sources/model-source.ts";
