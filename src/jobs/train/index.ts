export {
  COMMAND_FILE_NAME,
  commandLines,
  imagesOf,
  jobCommands,
  type HostPaths,
  type JobCommands,
} from "./command-file.ts";
export {
  EXPORTER_MAIN,
  FRAMEWORKS,
  LAUNCHER,
  PLACES,
  mainModuleOf,
  PYTHON,
  type Accelerator,
  type Framework,
  type ImageNames,
  type TrainJob,
} from "./contracts.ts";
export { createCurveBook, curvesToSvg, drawCurve, type Curve, type CurveBook } from "./curves.ts";
export {
  findDataFolders,
  HIDDEN_FOLDERS,
  placeBelow,
  type DataFolder,
  type SeenFile,
} from "./data-folders.ts";
export { localTasks, tasksOf, type Cluster, type Task } from "./distributed.ts";
export { createEventReader, type EventReader } from "./event-file.ts";
export { flagsOf, TRAIN_FLAGS, type TrainFlag } from "./flags.ts";
export { checkGpu, type GpuFacts } from "./gpu-check.ts";
export { type TrainerVersion } from "./manifest-trainjob.ts";
export { MANIFEST_KINDS, type ManifestKind, type ManifestOptions } from "./manifest-options.ts";
export { renderManifest, type ManifestImage } from "./manifest.ts";
export {
  createMetricScanner,
  type MetricPoint,
  type MetricScanner,
  type ScannerOptions,
} from "./metrics.ts";
export { CURVES_FILE_NAME, OWN_FILES } from "./own-files.ts";
export { parseJob, trainSideOf, type ParseJobOptions, type TrainValues } from "./parse-job.ts";
export {
  parsePlan,
  PLAN_FILE_NAME,
  printPlan,
  type PackedName,
  type TrainPlan,
} from "./plan-file.ts";
export { combinationOf, findRelease, isOpen, recipeOf } from "./releases.ts";
export { createProgressReader, type Progress, type ProgressReader } from "./progress.ts";
export {
  MAX_RUN_FILE_BYTES,
  parseProvenance,
  printRunRecord,
  RUN_FILE_NAME,
  type Provenance,
  type RunRecord,
} from "./run-file.ts";
export {
  joinParts,
  PART_BYTES,
  splitFile,
  type JoinOptions,
  type SplitOptions,
} from "./split-file.ts";
