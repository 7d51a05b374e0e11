export { batched } from "./batched.ts";
export { ComponentError, type UserFailure } from "./component-error.ts";
export {
  answersOf,
  isRaw,
  type CallerOptions,
  type InferRequest,
  type InferResponse,
  type ModelIdentity,
  type NamedTensor,
  type Parameters,
  type ParameterValue,
  type Predictor,
  type PredictorFacts,
  type PredictorStats,
} from "./contracts.ts";
export {
  defaultNames,
  type ComponentFacts,
  type ComponentMessage,
  type ComponentMethod,
  type ComponentRequest,
  type ComponentResponse,
  type GraphComponent,
  type Payload,
} from "./graph-component.ts";
export type { ImageReader, ImageTensor } from "./image-reader.ts";
export { packItems, tensorOfList } from "./list-tensor.ts";
export { joinRows } from "./tensor-rows.ts";
export { identified, identityHeaders } from "./identified.ts";
export { limited } from "./limited.ts";
export { matchInputs } from "./match-inputs.ts";
export { pythonFloat, pythonInteger } from "./number-text.ts";
export { predictorOfGraph, wanted } from "./predictor-of-graph.ts";
export { ModelRepository, type ModelEntry } from "./repository.ts";
export type { VersionRules } from "./version-rules.ts";
export { SERVER_DEFAULTS } from "./server-defaults.ts";
export { ServedModel, type ModelName, type ModelState } from "./served-model.ts";
export { formatTraceparent, IdSource, type SpanContext } from "./trace-context.ts";
export { countCalls, countRuns, ModelStatistics, type Duration } from "./statistics.ts";
export { USER_CODE_DEFAULTS, type UserCodeSettings } from "./user-code.ts";
export { wrapped } from "./wrapped.ts";
export { traced } from "./traced.ts";
export { TraceSettings, type TraceChange } from "./trace-settings.ts";
export { Tracer, type EndedSpan, type Sampler } from "./tracer.ts";
export { takeLate, takePlace } from "./waiting-line.ts";
