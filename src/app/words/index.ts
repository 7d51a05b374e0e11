/**
 * What a caller that reads the old tools' flags has to know of them: names, choices, frameworks. Loaded by those commands alone.
 */
export {
  FRAMEWORKS as TRAIN_FRAMEWORKS,
  MANIFEST_KINDS,
  TRAIN_FLAGS,
  drawCurve,
  flagsOf as trainFlagsOf,
  type Curve,
  type Framework as TrainFramework,
  type ManifestKind,
  type ManifestOptions,
  type Progress,
  type TrainFlag,
  type TrainValues,
} from "../../jobs/train/index.ts";
export {
  SERVING_KINDS,
  type Autoscaling,
  type ManifestVariable,
  type ServingKind,
  type Toleration,
} from "../../jobs/kubernetes/index.ts";
export {
  strayFlagsOf,
  UAI_FRAMEWORKS,
  uaiFlagsOf,
  type UaiFlag,
  type UaiFramework,
} from "../../jobs/uai/index.ts";
export { CATALOGUE_VARIABLE } from "./catalogue-variable.ts";
export {
  BASE_SOURCES,
  TEST_ENGINES,
  UAI_SERVERS,
  type TestEngine,
  type UaiBaseSource,
  type UaiServer,
} from "./packdocker-choices.ts";
