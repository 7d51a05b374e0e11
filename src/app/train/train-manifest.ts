import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseLocation } from "../../images/copy/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { run, writeFileAtomic } from "../../ground/process/index.ts";
import { setValue } from "../../jobs/kubernetes/index.ts";
import { printYaml } from "../../models/description/index.ts";
import { formatReference } from "../../images/oci/index.ts";
import {
  MANIFEST_KINDS,
  parsePlan,
  PLAN_FILE_NAME,
  renderManifest,
  type ManifestKind,
  type ManifestOptions,
  type TrainerVersion,
  type TrainPlan,
} from "../../jobs/train/index.ts";
import type { Context } from "../context.ts";
import { countOf } from "../options.ts";
import { podOptions, wholeNumber, type PodFlags } from "./manifest-options.ts";

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
  readonly trainer?: TrainerVersion;
  /** `PATH=VALUE`, for what has no flag. */
  readonly set?: readonly string[];
  readonly file?: string;
  readonly apply?: boolean;
  readonly context?: string;
}

/** Prints a cluster's object for a packed job, writes it, or hands it to kubectl. */
export async function trainManifest(
  parameters: readonly string[],
  flags: TrainManifestFlags,
  context: Context,
): Promise<void> {
  const path = resolve(context.cwd, flags.plan ?? PLAN_FILE_NAME);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new ToolError("PROJECT_NOT_FOUND", `read "${path}": there is no such file`, {
      cause: error,
      hint: "pack first with `slipway train pack`, or name its file with --plan",
    });
  });
  const plan = parsePlan(text, path);
  const options = { ...optionsOf(plan, flags), parameters };
  let manifest = renderManifest(plan, { reference: imageOf(plan) }, options);
  for (const assignment of flags.set ?? []) manifest = await setValue(manifest, assignment);
  for (const note of notesOf(plan, options)) context.reporter.warn(note);
  const yaml = await printYaml(manifest);
  if (flags.file !== undefined) await writeFileAtomic(resolve(context.cwd, flags.file), yaml);
  if (flags.apply === true) await apply(yaml, flags, context);
  else if (flags.file === undefined) context.reporter.line(yaml.trimEnd());
  context.reporter.result({ manifest });
}

/** What the object leaves to the reader. */
function notesOf(plan: TrainPlan, options: ManifestOptions): readonly string[] {
  const notes: string[] = [];
  if (plan.accelerator === "gpu" && options.gpus === undefined)
    notes.push(
      "the job was packed for graphics cards and asks the cluster for none: pass --gpus COUNT",
    );
  if (options.kind === "mpijob" || (options.kind === undefined && options.nodes !== undefined))
    if (plan.framework === "mxnet" || plan.framework === "caffe" || options.kind === "mpijob")
      notes.push(
        "an MPIJob needs mpirun, ssh and an ssh server in the image: pack with --apt openmpi-bin,openssh-client,openssh-server",
      );
  return notes;
}

/** The pushed image, by digest; a cluster can fetch no other. */
function imageOf({ images }: TrainPlan): string {
  const image =
    images.gpu?.isPushed === true
      ? images.gpu
      : images.cpu?.isPushed === true
        ? images.cpu
        : undefined;
  const location = image === undefined ? undefined : parseLocation(image.name);
  if (image === undefined || location?.kind !== "registry")
    throw new ToolError("USAGE", "train manifest: no image of the plan was pushed", {
      hint: "pack without --no-push, or with --push-cpu",
    });
  return formatReference({
    registry: location.reference.registry,
    repository: location.reference.repository,
    digest: image.digest,
  });
}

function optionsOf(plan: TrainPlan, flags: TrainManifestFlags): ManifestOptions {
  const image = plan.images.gpu ?? plan.images.cpu;
  return {
    kind: kindOf(flags.kind),
    name: flags.name ?? nameOf(image?.name ?? "train"),
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

function nameOf(image: string): string {
  return (
    (image.split("/").at(-1) ?? "")
      .replace(/[:@].*$/s, "")
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-+|-+$/g, "")
      .slice(0, 53) || "train"
  );
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : countOf(text);
}

async function apply(
  yaml: string,
  { context: cluster, namespace }: TrainManifestFlags,
  { env, signal, reporter }: Context,
): Promise<void> {
  const args = [
    ...(cluster === undefined ? [] : ["--context", cluster]),
    ...(namespace === undefined ? [] : ["--namespace", namespace]),
  ];
  const { stdout } = await run(["kubectl", ...args, "apply", "-f", "-"], {
    stdin: yaml,
    env,
    signal,
  });
  for (const line of stdout.toString("utf8").trimEnd().split("\n")) reporter.line(line);
}
