import { ToolError } from "../../ground/errors/index.ts";
import { MANIFEST_KINDS, type ManifestKind } from "../../jobs/train/index.ts";
import { POD_OPTIONS, wholeNumber } from "../cluster/pod-options.ts";
import { KUBECTL } from "../options/needs.ts";
import { choice, count, flag, parsed, text, texts } from "../options/kinds.ts";
import type { CommandSpec } from "../options/option.ts";
import { PARAMETERS, PLAN } from "./train-run-command.ts";
import type { TrainManifestRequest } from "./train-manifest.ts";

/** `slipway train manifest`. */
export const TRAIN_MANIFEST_COMMAND: CommandSpec<TrainManifestRequest> = {
  options: {
    parameters: PARAMETERS,
    plan: PLAN,
    kind: parsed(
      "--kind <kind>",
      "job, pytorchjob, tfjob, mpijob or trainjob (default: job for one node, else what the framework uses)",
      parseKind,
    ),
    name: text("--name <name>", "of the object (default: the image's)"),
    namespace: text("--namespace <name>", "where it goes"),
    nodes: count("--nodes <count>", "nodes (default: 1)"),
    servers: count("--servers <count>", "parameter servers of a tfjob"),
    processes: count("--nproc <count>", "processes on a node (default: one for each card)"),
    gpus: wholeNumber("--gpus <count>", "graphics cards of a node (default: 0)"),
    cpus: text("--cpus <quantity>", "such as 4 or 500m"),
    memory: text("--memory <quantity>", "such as 16Gi"),
    sharedMemory: text("--shm <quantity>", "size of /dev/shm (default: 1Gi)"),
    data: text(
      "--data <volume>",
      "pvc:NAME[/FOLDER] (default: pvc:NAME-data), nfs:HOST:/PATH, host:/PATH or empty",
    ),
    output: text("--output <volume>", "the same for results (default: pvc:NAME-output)"),
    backoff: wholeNumber("--backoff <count>", "tries after the first (default: 3)"),
    ttlS: wholeNumber("--ttl <seconds>", "how long a finished job is kept (default: a day)"),
    queue: text("--queue <name>", "queue of Kueue"),
    runtime: text("--runtime <name>", "of a trainjob (default: the framework's)"),
    trainer: choice(
      "--trainer <version>",
      "Kubeflow Trainer of the cluster, for a trainjob (default: 2.2 and newer)",
      ["2.0", "2.1", "2.2"],
    ),
    file: text("-f, --file <file>", "write it there"),
    isApplied: flag("--apply", "hand it to kubectl"),
    cluster: text("--context <name>", "with --apply: kubectl's context"),
    ...POD_OPTIONS,
    deadlineS: wholeNumber("--deadline <seconds>", "end the job after this time"),
    graceS: wholeNumber(
      "--grace <seconds>",
      "time between SIGTERM and SIGKILL (default: the cluster's)",
    ),
    assignments: texts(
      "--set <path=value>",
      "any other field of the object; may come more than once",
    ),
  },
  needs: [KUBECTL],
  examples: [
    "slipway train manifest --gpus 1 --data pvc:mnist --output pvc:results",
    "slipway train manifest --nodes 4 --gpus 8 --shm 16Gi --queue team --toleration nvidia.com/gpu --apply -- --epochs 90",
  ],
};

function parseKind(text: string): ManifestKind {
  const found = MANIFEST_KINDS.find((kind) => kind === text.toLowerCase());
  if (found !== undefined) return found;
  throw new ToolError("USAGE", `there is no kind "${text}"`, {
    hint: `it is one of ${MANIFEST_KINDS.join(", ")}`,
  });
}
