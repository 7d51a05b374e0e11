export type { ModelFolders, RepositoryModel } from "./contracts.ts";
export { readModelFolders } from "./read-model-folders.ts";
