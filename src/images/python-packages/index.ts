export type {
  IndexOptions,
  JsonCache,
  LayerStore,
  PythonContext,
  PythonLayers,
  PythonRequest,
  PythonTarget,
} from "./contracts.ts";
export type { AptWay } from "./libraries.ts";
export { moduleOf } from "./modules-of.ts";
export { readDeclaredPackages } from "./declared.ts";
export { pruneEnvironments } from "./environment-use.ts";
export { keepEnvironment } from "./kept-environment.ts";
export { buildPythonLayers, DEFAULT_SITE_PACKAGES } from "./layers.ts";
export { resolvePython } from "./resolve.ts";
export { sitePathSource } from "./scripts.ts";
