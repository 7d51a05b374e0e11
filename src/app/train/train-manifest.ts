import { resolve } from "node:path";
import { parseLocation } from "../../images/copy/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { writeFileAtomic } from "../../ground/process/index.ts";
import { dnsLabelOf, setValue } from "../../jobs/kubernetes/index.ts";
import { printYaml } from "../../models/description/index.ts";
import { formatReference } from "../../images/oci/index.ts";
import { renderManifest, type ManifestOptions, type TrainPlan } from "../../jobs/train/index.ts";
import { applyObjects } from "../cluster/kubectl.ts";
import type { Surroundings } from "../session.ts";
import { readPlan } from "./read-plan.ts";

/** A cluster's object for a packed job. */
export interface TrainManifestRequest extends Partial<ManifestOptions> {
  /** `PATH=VALUE`, for what has no option. */
  readonly assignments?: readonly string[] | undefined;
  /** What `trainPack` wrote. Default: `slipway-train.json`. */
  readonly plan?: string | undefined;
  /** Where to write it. */
  readonly file?: string | undefined;
  /** Hands it to kubectl. Default false. */
  readonly isApplied?: boolean | undefined;
  /** With `isApplied`: kubectl's context. */
  readonly cluster?: string | undefined;
}

/** The object, and what became of it. */
export interface TrainManifestResult {
  readonly manifest: ReturnType<typeof renderManifest>;
  readonly yaml: string;
  /** What kubectl said; empty without it. */
  readonly applied: readonly string[];
}

/**
 * Renders a cluster's object for a packed job, writes it, or hands it to kubectl.
 * @throws ToolError `PROJECT_NOT_FOUND`, `PROJECT_INVALID`, `USAGE`, and ProcessError of kubectl.
 */
export async function trainManifest(
  request: TrainManifestRequest,
  session: Surroundings,
): Promise<TrainManifestResult> {
  const plan = await readPlan(request.plan, session);
  const options = { ...request, name: request.name ?? nameOfPlan(plan) };
  let manifest = renderManifest(plan, { reference: imageOf(plan) }, options);
  for (const assignment of request.assignments ?? [])
    manifest = await setValue(manifest, assignment);
  for (const text of notesOf(plan, options)) session.emit({ kind: "warning", text });
  const yaml = await printYaml(manifest);
  if (request.file !== undefined) await writeFileAtomic(resolve(session.cwd, request.file), yaml);
  return {
    manifest,
    yaml,
    applied: request.isApplied === true ? await applyObjects(yaml, request, session) : [],
  };
}

/** What the object leaves to the reader. */
function notesOf(plan: TrainPlan, options: ManifestOptions): readonly string[] {
  const notes: string[] = [];
  if (plan.accelerator === "gpu" && plan.code.isExporter !== true && options.gpus === undefined)
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

/** Name of a job's object where none is given: that of its image. */
export function nameOfPlan({ images }: TrainPlan): string {
  const { name = "train" } = images.gpu ?? images.cpu ?? {};
  return dnsLabelOf((name.split("/").at(-1) ?? "").replace(/[:@].*$/s, ""), 53) || "train";
}
