export { releaseProblem, uaiRecipeOf, type UaiRecipe, type UaiWish } from "./catalogue.ts";
export {
  checkClass,
  checkModel,
  readConf,
  type CheckedModel,
  type ConfEntry,
  type ReadConf,
} from "./check-files.ts";
export { printConf } from "./conf.ts";
export {
  CONF_NAME,
  FRAMEWORKS as UAI_FRAMEWORKS,
  GUNICORN_COMMAND,
  SERVER_ROOT,
  type FlagProblem,
  type NamedFramework,
  type NamedJob,
  type SelfJob,
  type UaiFramework,
  type UaiJob,
  type UaiModel,
} from "./contracts.ts";
export { strayFlagsOf, uaiFlagsOf, type UaiFlag, type UaiFlagGroup } from "./flags.ts";
export { parseUaiJob, uaiSideOf, type ParsedJob, type UaiValues } from "./parse-job.ts";
export {
  createVendorApi,
  resolveBaseImage,
  type EnvironmentPackage,
  type VendorApi,
  type VendorApiOptions,
  type VendorKeys,
  type WantedEnvironment,
} from "./vendor-api/index.ts";
