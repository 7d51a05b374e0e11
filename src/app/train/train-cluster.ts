import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import {
  MANIFEST_KINDS,
  parsePlan,
  PLAN_FILE_NAME,
  type ManifestKind,
} from "../../jobs/train/index.ts";
import { kubectl, type ClusterPlace } from "../cluster/kubectl.ts";
import type { Surroundings } from "../session.ts";
import { nameOfPlan } from "./train-manifest.ts";

/** A training job of a cluster. */
export interface ClusterJobRequest extends ClusterPlace {
  /** Default: that of the plan's image, as `trainManifest` names it. */
  readonly name?: string | undefined;
  /** What `trainPack` wrote. Default: `slipway-train.json`. */
  readonly plan?: string | undefined;
  /** Default: the kind under which the cluster has the name. */
  readonly kind?: ManifestKind | undefined;
}

export interface JobLogsRequest extends ClusterJobRequest {
  /** Goes on until the pods end. Default false. */
  readonly isFollowed?: boolean | undefined;
}

export interface JobWaitRequest extends ClusterJobRequest {
  /** Default: a day. */
  readonly timeoutMs?: number | undefined;
}

/** A job that the cluster has. */
export interface ClusterJob {
  readonly kind: ManifestKind;
  readonly name: string;
}

/** How kubectl calls a kind, the label of its pods, and the condition of a good end. */
interface KindFacts {
  readonly resource: string;
  readonly label: string;
  readonly ended: string;
}

const OPERATOR_LABEL = "training.kubeflow.org/job-name";

/** @see Kubernetes, Job; Kubeflow, training-operator v1, mpi-operator v2beta1, trainer v2 over JobSet */
const KINDS: Readonly<Record<ManifestKind, KindFacts>> = {
  job: { resource: "jobs.batch", label: "batch.kubernetes.io/job-name", ended: "Complete" },
  pytorchjob: { resource: "pytorchjobs.kubeflow.org", label: OPERATOR_LABEL, ended: "Succeeded" },
  tfjob: { resource: "tfjobs.kubeflow.org", label: OPERATOR_LABEL, ended: "Succeeded" },
  mpijob: { resource: "mpijobs.kubeflow.org", label: OPERATOR_LABEL, ended: "Succeeded" },
  trainjob: {
    resource: "trainjobs.trainer.kubeflow.org",
    label: "jobset.sigs.k8s.io/jobset-name",
    ended: "Complete",
  },
};

/** A job has as many logs as pods; kubectl reads so many at the same time. */
const MAX_PODS = 64;
const DAY_MS = 86_400_000;

/**
 * Tells what the job's pods print, each line with its pod, as `output` events of whole lines.
 * @throws ToolError `REFERENCE_NOT_FOUND` for a job that is not there; `PROCESS_FAILED`, `TOOL_MISSING`.
 */
export async function readJobLogs(
  request: JobLogsRequest,
  session: Surroundings,
): Promise<ClusterJob> {
  const job = await findJob(request, session);
  const lines = wholeLines((text) => session.emit({ kind: "output", text }));
  await kubectl(
    [
      "logs",
      ...["--selector", `${KINDS[job.kind].label}=${job.name}`],
      ...["--all-containers", "--prefix", "--tail=-1", `--max-log-requests=${MAX_PODS}`],
      ...(request.isFollowed === true ? ["--follow"] : []),
    ],
    { place: request, onOutput: (text) => lines.add(text) },
    session,
  );
  lines.end();
  return job;
}

/** Joins chunks to lines; each ends with its line break. */
function wholeLines(tell: (text: string) => void): {
  readonly add: (text: string) => void;
  readonly end: () => void;
} {
  let rest = "";
  return {
    add(text) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) tell(`${line}\n`);
    },
    end: () => {
      if (rest !== "") tell(`${rest}\n`);
    },
  };
}

/**
 * Waits until the job has ended well.
 * @throws ToolError `PROCESS_FAILED` when it failed, `TIMEOUT` when it did not end in time, `REFERENCE_NOT_FOUND`.
 */
export async function waitForJob(
  request: JobWaitRequest,
  session: Surroundings,
): Promise<ClusterJob> {
  const job = await findJob(request, session);
  const { timeoutMs = DAY_MS } = request;
  const { resource, ended } = KINDS[job.kind];
  const race = new AbortController();
  const until = (condition: string): Promise<string> =>
    kubectl(
      [
        "wait",
        ...[`--for=condition=${condition}`, `--timeout=${Math.ceil(timeoutMs / 1000)}s`],
        `${resource}/${job.name}`,
      ],
      { place: request },
      { ...session, signal: AbortSignal.any([session.signal, race.signal]) },
    ).then(() => condition);
  const waits = [until(ended), until("Failed")];
  try {
    const condition = await Promise.race(waits);
    if (condition === ended) return job;
  } catch (error) {
    session.signal.throwIfAborted();
    if (!isToolError(error) || !/timed out/i.test(error.message)) throw error;
    throw new ToolError(
      "TIMEOUT",
      `wait for the job "${job.name}": it did not end in ${Math.ceil(timeoutMs / 1000)} s`,
      { cause: error },
    );
  } finally {
    race.abort();
    await Promise.allSettled(waits); // the other one ends with its kubectl
  }
  throw new ToolError("PROCESS_FAILED", `wait for the job "${job.name}": it failed`, {
    hint: `read why with \`slipway train logs ${job.name}\``,
  });
}

/** Removes the job and its pods. @throws ToolError `REFERENCE_NOT_FOUND`, `PROCESS_FAILED`. */
export async function deleteJob(
  request: ClusterJobRequest,
  session: Surroundings,
): Promise<ClusterJob> {
  const job = await findJob(request, session);
  await kubectl(
    ["delete", "--cascade=foreground", `${KINDS[job.kind].resource}/${job.name}`],
    { place: request },
    session,
  );
  return job;
}

async function findJob(request: ClusterJobRequest, session: Surroundings): Promise<ClusterJob> {
  const name = request.name ?? (await plannedName(request, session));
  const kinds = request.kind === undefined ? MANIFEST_KINDS : [request.kind];
  for (const kind of kinds) {
    const { exitCode, stdout } = await kubectl(
      ["get", KINDS[kind].resource, name, "--ignore-not-found", "--output=name"],
      // Without a kind in the request all kinds are tried: one that the cluster does not know fails with 1, and the next is asked.
      { place: request, answers: request.kind === undefined ? [0, 1] : [0] },
      session,
    );
    if (exitCode === 0 && stdout.length > 0) return { kind, name };
  }
  throw new ToolError("REFERENCE_NOT_FOUND", `find the job "${name}": the cluster has none`, {
    hint: "say --namespace and --context, or start it with `slipway train manifest --apply`",
  });
}

async function plannedName(
  { plan: file = PLAN_FILE_NAME }: ClusterJobRequest,
  { cwd }: Surroundings,
): Promise<string> {
  const path = resolve(cwd, file);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new ToolError("USAGE", `find the job: it has no name, and there is no "${path}"`, {
      cause: error,
      hint: "name the job, as `kubectl get jobs` does",
    });
  });
  return nameOfPlan(parsePlan(text, path));
}
