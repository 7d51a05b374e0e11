export type {
  BaseFacts,
  BaseImage,
  DigestMemory,
  JsonCache,
  LayerState,
  PackContext,
  PackedImage,
  PackProject,
  PackStore,
  PlannedLayer,
  PythonFacts,
  ToolFiles,
} from "./contracts.ts";
export { inspectBase } from "./base/inspect-base.ts";
export {
  packCode,
  readCode,
  type AddedFile,
  type CodeProject,
  type ReadCode,
} from "./pack-code.ts";
export { packImages } from "./pack-image.ts";
export type { IndexOptions } from "../python-packages/index.ts";
export { walkProject, type WalkedFile, type WalkOptions } from "./context/walk.ts";
