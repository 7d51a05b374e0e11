export { releaseProblem, uaiRecipeOf, type UaiWish } from "./catalogue.ts";
export { checkClass, checkModel, readConf, type ReadConf } from "./check-files.ts";
export { printConf } from "./conf.ts";
export {
  CONF_NAME,
  FRAMEWORKS as UAI_FRAMEWORKS,
  GUNICORN_COMMAND,
  SERVER_ROOT,
  type FlagProblem,
  type NamedJob,
  type SelfJob,
  type UaiFramework,
  type UaiJob,
  type UaiModel,
} from "./contracts.ts";
export { strayFlagsOf, uaiFlagsOf } from "./flags.ts";
export { parseUaiJob, uaiSideOf, type UaiValues } from "./parse-job.ts";
export {
  createVendorApi,
  resolveBaseImage,
  type VendorApi,
  type VendorApiOptions,
  type VendorKeys,
} from "./vendor-api/index.ts";
