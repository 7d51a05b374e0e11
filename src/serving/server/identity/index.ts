export { identifyModel, modelSources } from "./model-identity.ts";
export { registerIdentity } from "./identity-metric.ts";
