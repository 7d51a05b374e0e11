import { COMMAND_FILE_NAME } from "./command-file.ts";
import { PLAN_FILE_NAME } from "./plan-file.ts";
import { RUN_FILE_NAME } from "./run-file.ts";

/** Default name of the picture of a run's metrics, in the working folder. */
export const CURVES_FILE_NAME = "slipway-train.svg";

/**
 * Names of the files that packing and running leave behind. They hold paths of this machine and change with each run, so
 * they never go into a training image, in whatever folder they lie.
 */
export const OWN_FILES: readonly string[] = [
  COMMAND_FILE_NAME,
  PLAN_FILE_NAME,
  RUN_FILE_NAME,
  CURVES_FILE_NAME,
];
