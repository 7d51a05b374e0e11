export type { BaseFacts, BaseImage, PythonFacts } from "./base-image.ts";
export { DEFAULT_PATH } from "./apply-config.ts";
export { buildImages, timeOf } from "./build-images.ts";
export type { DigestMemory, JsonCache, PackContext, PackStore, ToolFiles } from "./context.ts";
export { layerEntries, type LayerEntry, type LayerFile } from "./layers/layer-tree.ts";
export type { LayerState, PackedImage, PlannedLayer } from "./packed-image.ts";
export type { ConfigChange, FolderList, ImageRecipe, RecipeStep, SettableField } from "./recipe.ts";
