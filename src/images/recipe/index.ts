export type { BaseFacts, BaseImage, PythonFacts } from "./base-image.ts";
export { DEFAULT_PATH } from "./apply-config.ts";
export { buildImages, timeOf, type ImageOrder } from "./build-images.ts";
export type { DigestMemory, JsonCache, PackContext, PackStore, ToolFiles } from "./context.ts";
export {
  layerEntries,
  type FileContent,
  type LayerEntry,
  type LayerFile,
} from "./layers/layer-tree.ts";
export type { LayerState, PackedImage, PlannedLayer } from "./packed-image.ts";
export type {
  ConfigChange,
  FilesStep,
  FolderList,
  HistoryStep,
  ImageRecipe,
  MadeStep,
  PythonRequirements,
  PythonStep,
  RecipeStep,
  SettableField,
  ToolStep,
  WeightsStep,
} from "./recipe.ts";
