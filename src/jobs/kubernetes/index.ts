export { chartFiles } from "./helm-chart.ts";
export {
  cardLimits,
  checkObjectWords,
  CONTAINER_SECURITY,
  dnsLabelOf,
  podSecurity,
  quantityOf,
  schedulingOf,
  variableEntries,
  type ManifestVariable,
  type ResourceOptions,
  type Scheduling,
  type Toleration,
} from "./pod-parts.ts";
export { defaultServingName, renderServing, servingNotes } from "./render-serving.ts";
export {
  SERVING_KINDS,
  type Autoscaling,
  type ServedGraph,
  type ServedImage,
  type ServingKind,
  type ServingOptions,
  type WeightsSource,
} from "./serving-options.ts";
export { setValue, type Fragment } from "./set-value.ts";
