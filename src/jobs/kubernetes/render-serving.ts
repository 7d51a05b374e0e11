import { deploymentObjects } from "./deployment.ts";
import { inferenceService, runtimeNameOf, servingRuntime } from "./inference-service.ts";
import { seldonDeployment } from "./seldon-deployment.ts";
import {
  checkServing,
  type ServedImage,
  type ServingOptions,
  type ServingRequest,
} from "./serving-options.ts";
import type { Fragment } from "./set-value.ts";
import { monitorOf, networkPolicyOf } from "./watching.ts";

/**
 * The objects that serve an image on a cluster, the one that runs it first, always in the same order.
 * @throws ToolError `USAGE` for options that do not go together.
 */
export function renderServing(image: ServedImage, options: ServingOptions): readonly Fragment[] {
  const request = { image, options };
  checkServing(request);
  return RENDERERS[options.kind](request);
}

const RENDERERS: Readonly<
  Record<ServingOptions["kind"], (request: ServingRequest) => readonly Fragment[]>
> = {
  deployment: deploymentObjects,
  seldon: (request) => [
    seldonDeployment(request),
    ...monitorOf(request),
    ...networkPolicyOf(request),
  ],
  inferenceservice: (request) => [
    inferenceService(request),
    ...monitorOf(request),
    ...networkPolicyOf(request),
  ],
  servingruntime: (request) => [servingRuntime(request)],
};

/** Name of the objects where none is given. */
export function defaultServingName(
  image: ServedImage,
  options: Pick<ServingOptions, "kind">,
  model: string,
): string {
  return options.kind === "servingruntime" ? runtimeNameOf(image) : model;
}

/** What the objects leave to their reader. */
export function servingNotes(request: ServingRequest): readonly string[] {
  return NOTES.flatMap((note) => note(request) ?? []);
}

const NOTES: readonly ((request: ServingRequest) => string | undefined)[] = [
  ({ options: { cpus, memory } }) => {
    const flags = Object.entries({ "--cpus": cpus, "--memory": memory })
      .filter(([, value]) => value === undefined)
      .map(([flag]) => flag)
      .join(" and ");
    return flags === ""
      ? undefined
      : `the pods do not say all that they need, so a full node ends them first: pass ${flags}`;
  },
  ({ image }) =>
    image.hasServer
      ? undefined
      : "the image runs a server of its own: probes only open its port, and it must stop on SIGTERM by itself",
  ({ options: { gpus = 0, kind } }) =>
    gpus > 0 && kind === "deployment"
      ? "a rolling update needs cards for one pod more than there are: see strategy"
      : undefined,
  ({ options: { canary, kind, route } }) =>
    canary !== undefined && kind === "deployment" && route === undefined
      ? "without --gateway the canary's share is that of its pods"
      : undefined,
  ({ options: { kind, replicas, autoscaling } }) =>
    kind === "deployment" && (replicas ?? autoscaling?.min) === 1
      ? "there is one pod: when its node is drained, requests fail until the next one is ready"
      : undefined,
];
