export type {
  BaseFacts,
  BaseImage,
  DigestMemory,
  JsonCache,
  LayerState,
  PackContext,
  PackedImage,
  PackStore,
  PlannedLayer,
  PythonFacts,
  ToolFiles,
} from "../recipe/index.ts";
export type { PackProject } from "./contracts.ts";
export { inspectBase } from "./base/inspect-base.ts";
export { refuseSecrets } from "./context/find-secrets.ts";
export { packImages, packTraining } from "./pack-images.ts";
export type { AddedFile, CodeProject } from "./recipe-of-training.ts";
export type { IndexOptions } from "../python-packages/index.ts";
export {
  walkProject,
  walkTree,
  type ProjectTree,
  type WalkedFile,
  type WalkOptions,
} from "./context/walk.ts";
