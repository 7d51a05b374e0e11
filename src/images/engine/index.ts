export type {
  Container,
  ContainerRequest,
  ContainerState,
  Engine,
  EngineKind,
  EngineOptions,
  LogOptions,
  MountRequest,
  PortRequest,
  PublishedPort,
} from "./contracts.ts";
export { createEngine } from "./create-engine.ts";
export {
  findEngine,
  probeEngines,
  type EngineProbe,
  type FindEngineOptions,
} from "./find-engine.ts";
export { runImage, type ReadyCheck, type RunImageOptions, type RunningImage } from "./run-image.ts";
export {
  runUnpacked,
  type RunningProcess,
  type RunUnpackedOptions,
} from "./unpacked/run-unpacked.ts";
export { unpackImage, type UnpackedImage } from "./unpacked/unpack-image.ts";
