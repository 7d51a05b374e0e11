import type { ServeManifestRequest, SiblingRequest } from "../app/index.ts";
import { SERVING_KINDS, type Autoscaling, type ServingKind } from "../app/words/index.ts";
import { ToolError } from "../ground/errors/index.ts";
import { podOptions, wholeNumber, type PodFlags } from "./manifest-words.ts";
import { variablesOf } from "./options.ts";

/** Flags of `slipway manifest`. */
export interface ServingFlags extends Omit<PodFlags, "deadline" | "grace"> {
  readonly kind: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly context?: string;
  readonly replicas?: string;
  readonly cpus?: string;
  readonly memory?: string;
  readonly gpus?: string;
  readonly shm?: string;
  readonly pullSecret?: string;
  readonly probes?: "http" | "grpc";
  readonly startup?: string;
  readonly timeout?: string;
  readonly settle?: string;
  readonly drain?: "sleep" | "server";
  readonly autoscale?: string;
  readonly min?: string;
  readonly max?: string;
  readonly keda?: string | boolean;
  readonly canary?: string;
  readonly shadow?: string;
  readonly gateway?: string;
  readonly host?: readonly string[];
  readonly monitor?: "service" | "pod";
  readonly networkPolicy?: string | boolean;
  readonly weights?: "volume" | "init";
  readonly weightsImage?: string;
  readonly engine: boolean;
  readonly storageUri?: string;
  readonly annotation?: readonly string[];
  readonly set?: readonly string[];
  readonly file?: string;
  readonly helm?: string;
  readonly apply?: boolean;
  readonly diff?: boolean;
}

/** @throws ToolError `USAGE` for a word that has not the form of its flag. */
export function serveManifestRequestOf(target: string, flags: ServingFlags): ServeManifestRequest {
  const { gateway, host = [], networkPolicy, annotation } = flags;
  if (flags.apply === true && flags.diff === true)
    throw new ToolError("USAGE", "--apply and --diff: one changes the cluster, the other does not");
  if (gateway === undefined && host.length > 0)
    throw new ToolError("USAGE", "--host: it is the name of a route, and needs --gateway");
  const { deadlineS: _, graceS: __, ...pod } = podOptions(flags);
  return {
    ...pod,
    target,
    kind: kindOf(flags.kind),
    name: flags.name,
    namespace: flags.namespace,
    cluster: flags.context,
    replicas: wholeNumber(flags.replicas, "replicas"),
    cpus: flags.cpus,
    memory: flags.memory,
    gpus: wholeNumber(flags.gpus, "gpus"),
    sharedMemory: flags.shm,
    pullSecret: flags.pullSecret,
    probesGrpc: flags.probes === "grpc",
    startupS: wholeNumber(flags.startup, "startup"),
    requestS: wholeNumber(flags.timeout, "timeout"),
    settleS: wholeNumber(flags.settle, "settle"),
    drain: flags.drain,
    autoscaling: autoscalingOf(flags),
    canary: siblingOf(flags.canary, "canary"),
    shadow: siblingOf(flags.shadow, "shadow"),
    route: gateway === undefined ? undefined : { gateway, hosts: host },
    monitor: flags.monitor,
    networkPolicy:
      networkPolicy === undefined
        ? undefined
        : { namespaces: networkPolicy === true ? [] : String(networkPolicy).split(",") },
    weights: weightsOf(flags),
    hasNoEngine: !flags.engine,
    storageUri: flags.storageUri,
    annotations: annotation === undefined ? undefined : variablesOf(annotation, "--annotation"),
    assignments: flags.set,
    file: flags.file,
    helm: flags.helm,
    isApplied: flags.apply,
    isCompared: flags.diff,
  };
}

function kindOf(text: string): ServingKind {
  const found = SERVING_KINDS.find((kind) => kind === text.toLowerCase());
  if (found !== undefined) return found;
  throw new ToolError("USAGE", `there is no kind "${text}"`, {
    hint: `it is one of ${SERVING_KINDS.join(", ")}`,
  });
}

function autoscalingOf({ autoscale, min, max, keda }: ServingFlags): Autoscaling | undefined {
  if (autoscale === undefined) {
    if (min === undefined && max === undefined && keda === undefined) return undefined;
    throw new ToolError("USAGE", "--min, --max and --keda are said of --autoscale", {
      hint: "write --autoscale cpu=70 --min 2 --max 10",
    });
  }
  const [, by, target] = /^(cpu|inflight|wait)=(\d+(?:\.\d+)?)$/.exec(autoscale) ?? [];
  if (by === undefined)
    throw new ToolError("USAGE", `--autoscale "${autoscale}" says no measure`, {
      hint: "write cpu=70 (percent), inflight=4 (requests in a pod) or wait=0.2 (seconds)",
    });
  return {
    by: by as Autoscaling["by"], // matched just now
    target: Number(target),
    min: wholeNumber(min, "min") ?? 2,
    max: wholeNumber(max, "max") ?? 10,
    ...(keda === undefined ? {} : { scaler: "keda" }),
    ...(typeof keda === "string" ? { prometheus: keda } : {}),
  };
}

/** `IMAGE=PERCENT`; without a number it is ten. */
function siblingOf(text: string | undefined, flag: string): SiblingRequest | undefined {
  if (text === undefined) return undefined;
  const [, image = text, percent = "10"] = /^(.+)=(\d{1,3})%?$/s.exec(text) ?? [];
  if (Number(percent) <= 100) return { image, percent: Number(percent) };
  throw new ToolError("USAGE", `--${flag} "${text}": there are no more than 100 percent`);
}

function weightsOf({ weights, weightsImage }: ServingFlags): ServeManifestRequest["weights"] {
  if (weights === undefined && weightsImage === undefined) return undefined;
  if (weightsImage !== undefined) return { image: weightsImage, way: weights ?? "volume" };
  throw new ToolError("USAGE", `--weights ${weights}: it does not say where they are`, {
    hint: "pass --weights-image HOST/REPOSITORY:TAG, as `slipway pack --weights-image` pushed it",
  });
}
