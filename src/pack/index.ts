export type { BaseFacts, BaseImage, DigestMemory, JsonCache, LayerState, PackContext, PackedImage, PackProject, PackStore, PlannedLayer, PythonFacts, ToolFiles } from "./contracts.ts";
export { findSecrets, type SecretFinding } from "./context/find-secrets.ts";
export { inspectBase } from "./base/inspect-base.ts";
export { packCode, readCode, type AddedFile, type CodeProject, type ReadCode } from "./pack-code.ts";
export { packImages } from "./pack-image.ts";
export type { IndexOptions } from "./python/index.ts";
export { NODE_VERSION } from "./layers/tool-layers.ts";
export { walkProject, type WalkedFile, type WalkOptions } from "./context/walk.ts";
