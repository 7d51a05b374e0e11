import { MANIFEST_KINDS } from "../../jobs/train/index.ts";
import { choice, flag, scaled, text } from "../options/kinds.ts";
import type { CommandSpec, Options } from "../options/option.ts";
import type { ClusterJobRequest, JobLogsRequest, JobWaitRequest } from "./train-cluster.ts";
import { PLAN } from "./train-run-command.ts";

/** Which job of which cluster. */
const JOB: Options<ClusterJobRequest> = {
  name: text("[name]", "of the job (default: the plan's image)"),
  plan: PLAN,
  kind: choice(
    "--kind <kind>",
    "of the object (default: the one that the cluster has)",
    MANIFEST_KINDS,
  ),
  namespace: text("--namespace <name>", "where it is"),
  cluster: text("--context <name>", "kubectl's context"),
};

/** `slipway train logs`. */
export const TRAIN_LOGS_COMMAND: CommandSpec<JobLogsRequest> = {
  options: { ...JOB, isFollowed: flag("--follow", "go on until the pods end") },
  notes: ["Each line begins with its pod and container. kubectl reads them."],
  examples: ["slipway train logs --follow", "slipway train logs mnist --namespace ml"],
};

/** `slipway train wait`. */
export const TRAIN_WAIT_COMMAND: CommandSpec<JobWaitRequest> = {
  options: {
    ...JOB,
    timeoutMs: scaled("--timeout <seconds>", "longest wait (default: a day)", 1000),
  },
  notes: ["Ends with 0 when the job ended well, and with an error when it failed or time is over."],
  examples: ["slipway train wait --timeout 3600"],
};

/** `slipway train delete`. */
export const TRAIN_DELETE_COMMAND: CommandSpec<ClusterJobRequest> = {
  options: JOB,
  examples: ["slipway train delete mnist"],
};
