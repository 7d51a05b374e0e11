export type {
  ModelFolders,
  RepositoryLayout,
  RepositoryModel,
  RepositoryVersion,
} from "./contracts.ts";
export { readModelFolders } from "./read-model-folders.ts";
