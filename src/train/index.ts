export { COMMAND_FILE_NAME, commandLines, imagesOf, jobCommands, type HostPaths, type JobCommands } from "./command-file.ts";
export { FRAMEWORKS, PLACES, type Accelerator, type Framework, type ImageNames, type TrainJob } from "./contracts.ts";
export { findDataFolders, HIDDEN_FOLDERS, placeBelow, type DataFolder, type SeenFile } from "./data-folders.ts";
export { DEFAULT_TAG, flagsOf, TRAIN_FLAGS, type TrainFlag } from "./flags.ts";
export { checkGpu, type GpuFacts } from "./gpu-check.ts";
export { parseJob, type ParseJobOptions, type TrainValues } from "./parse-job.ts";
export { parsePlan, PLAN_FILE_NAME, printPlan, type PackedName, type TrainPlan } from "./plan-file.ts";
export { combinationOf, findRelease, recipeOf, RELEASES, type CudaNeeds, type Recipe, type Release } from "./releases.ts";
export { quoteDouble, quoteWord, splitWords } from "./shell-words.ts";
