import { type Environment, type TrainManifestRequest, type TrainRunRequest } from "../app/index.ts";
import { MANIFEST_KINDS, type ManifestKind } from "../app/words/index.ts";
import { ToolError } from "../ground/errors/index.ts";
import { podOptions, wholeNumber, type PodFlags } from "./manifest-words.ts";
import { countOf, environmentOf } from "./options.ts";
import type { ReachFlags } from "./registry-flags.ts";

/** Flags of `slipway train run`. */
export interface TrainRunFlags extends ReachFlags {
  readonly plan?: string;
  readonly image?: string;
  readonly data?: string;
  readonly output?: string;
  readonly engine?: "docker" | "podman";
  readonly host?: boolean;
  readonly python?: string;
  readonly gpus?: string;
  readonly shm?: string;
  readonly nproc?: string;
  readonly servers?: string;
  readonly svg?: string;
  readonly metric?: readonly string[];
  readonly env?: readonly string[];
  readonly pull?: boolean;
}

/** @throws ToolError `USAGE`. */
export function trainRunRequestOf(
  parameters: readonly string[],
  flags: TrainRunFlags,
  environment: Environment,
): TrainRunRequest {
  return {
    parameters,
    plan: flags.plan,
    image: flags.image,
    data: flags.data,
    output: flags.output,
    engine: flags.engine,
    isOnHost: flags.host,
    python: flags.python,
    gpus: flags.gpus,
    sharedMemory: flags.shm,
    processes: numberOf(flags.nproc),
    servers: numberOf(flags.servers),
    svg: flags.svg,
    metrics: flags.metric?.map(patternOf),
    env: environmentOf(flags.env ?? [], environment),
    isPull: flags.pull,
  };
}

function patternOf(text: string): RegExp {
  let pattern: RegExp;
  try {
    pattern = new RegExp(text);
  } catch (error) {
    throw new ToolError("USAGE", `--metric "${text}": it is no regular expression`, {
      cause: error,
      hint: "write one such as 'Loss: ([0-9.]+)'",
    });
  }
  // With an empty alternative it matches anything, and tells how many groups it has.
  if ((new RegExp(`${text}|`).exec("")?.length ?? 0) < 2)
    throw new ToolError("USAGE", `--metric "${text}": it has no group for the value`, {
      hint: "put the number in a group, such as '(?<name>Loss): (?<value>[0-9.]+)'",
    });
  return pattern;
}

/** Flags of `slipway train manifest`. */
export interface TrainManifestFlags extends PodFlags {
  readonly plan?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly nodes?: string;
  readonly servers?: string;
  readonly nproc?: string;
  readonly gpus?: string;
  readonly cpus?: string;
  readonly memory?: string;
  readonly shm?: string;
  readonly data?: string;
  readonly output?: string;
  readonly backoff?: string;
  readonly ttl?: string;
  readonly queue?: string;
  readonly pullSecret?: string;
  readonly runtime?: string;
  readonly trainer?: TrainManifestRequest["trainer"];
  /** `PATH=VALUE`, for what has no flag. */
  readonly set?: readonly string[];
  readonly file?: string;
  readonly apply?: boolean;
  readonly context?: string;
}

/** @throws ToolError `USAGE`. */
export function trainManifestRequestOf(
  parameters: readonly string[],
  flags: TrainManifestFlags,
): TrainManifestRequest {
  return {
    plan: flags.plan,
    file: flags.file,
    assignments: flags.set,
    parameters,
    isApplied: flags.apply,
    cluster: flags.context,
    ...(flags.name === undefined ? {} : { name: flags.name }),
    kind: kindOf(flags.kind),
    namespace: flags.namespace,
    nodes: numberOf(flags.nodes),
    servers: numberOf(flags.servers),
    processes: numberOf(flags.nproc),
    gpus: wholeNumber(flags.gpus, "gpus"),
    cpus: flags.cpus,
    memory: flags.memory,
    sharedMemory: flags.shm,
    data: flags.data,
    output: flags.output,
    backoff: wholeNumber(flags.backoff, "backoff"),
    ttlS: wholeNumber(flags.ttl, "ttl"),
    queue: flags.queue,
    pullSecret: flags.pullSecret,
    runtime: flags.runtime,
    trainer: flags.trainer,
    ...podOptions(flags),
  };
}

function kindOf(text: string | undefined): ManifestKind | undefined {
  const found = MANIFEST_KINDS.find((kind) => kind === text?.toLowerCase());
  if (text !== undefined && found === undefined)
    throw new ToolError("USAGE", `there is no kind "${text}"`, {
      hint: `it is one of ${MANIFEST_KINDS.join(", ")}`,
    });
  return found;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : countOf(text);
}
