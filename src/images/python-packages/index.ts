export type {
  IndexOptions,
  JsonCache,
  LayerStore,
  Libc,
  LockedWheel,
  PythonContext,
  PythonLayer,
  PythonLayers,
  PythonLock,
  PythonPackage,
  PythonProgress,
  PythonRequest,
  PythonTarget,
} from "./contracts.ts";
export type { AptWay } from "./libraries.ts";
export { readDeclaredPackages } from "./declared.ts";
export { buildPythonLayers, DEFAULT_SITE_PACKAGES } from "./layers.ts";
export { resolvePython, type ResolveContext } from "./resolve.ts";
export { sitePathSource } from "./scripts.ts";
