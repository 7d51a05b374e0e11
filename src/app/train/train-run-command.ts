import { ToolError } from "../../ground/errors/index.ts";
import { count, environment, flag, parsedEach, text } from "../options/kinds.ts";
import type { CommandSpec, Option } from "../options/option.ts";
import { ENGINE_NEED, PYTHON } from "../options/needs.ts";
import { ENGINE } from "../options/shared.ts";
import type { TrainRunRequest } from "./train-run.ts";

/** Words after `--`, for the script. */
export const PARAMETERS: Option<readonly string[]> = {
  flags: [{ form: "[parameters...]", help: "more parameters of the script, after --" }],
  read: ([given = []]) => given,
};

/** What `train pack` wrote. */
export const PLAN: Option<string | undefined> = text(
  "--plan <file>",
  "what train pack wrote (default: slipway-train.json)",
);

/** `slipway train run`. */
export const TRAIN_RUN_COMMAND: CommandSpec<TrainRunRequest> = {
  options: {
    parameters: PARAMETERS,
    plan: PLAN,
    image: text("--image <name>", "another image than the plan's"),
    data: text("--data <folder>", "data to train on (default: the plan's)"),
    output: text("--output <folder>", "where the results go (default: the plan's)"),
    engine: ENGINE,
    gpus: text("--gpus <which>", "run the GPU image on these cards, such as all"),
    sharedMemory: text("--shm <size>", "size of /dev/shm, such as 8g (default: 1g)"),
    memory: text("--memory <size>", "most memory that it may use, such as 16g"),
    user: text(
      "--user <user>",
      "user in the container, UID[:GID] or root (default: you, so that the results are yours)",
    ),
    isDataWritable: flag("--writable-data", "let the script write into the data folder"),
    stopTimeoutS: count(
      "--stop-timeout <seconds>",
      "how long the script has to end after Ctrl-C (default: 10)",
    ),
    processes: count(
      "--nproc <count>",
      "processes on this machine, with the environment of a distributed job",
    ),
    servers: count("--servers <count>", "parameter servers beside them (tf, mxnet)"),
    env: environment(
      "-e, --env <name=value>",
      "environment; NAME alone hands on this shell's value",
    ),
    isOnHost: flag("--host", "run on this machine, without a container"),
    python: text("--python <path>", "with --host: this Python (default: the active environment's)"),
    svg: text("--svg <file>", "picture of the metrics (default: slipway-train.svg)"),
    metrics: parsedEach(
      "--metric <regex>",
      "form of a metric in the log, in place of the known ones; groups value (else the first), name and step; may come more than once",
      (value) => [parsePattern(value)],
    ),
    isPull: flag("--pull", "ask the registry, though the store has an image of that name"),
  },
  needs: [
    { ...ENGINE_NEED, what: "runs the training; --host does without" },
    { ...PYTHON, what: "runs the training, with --host" },
  ],
  registry: {},
  notes: [
    "Metrics are numbers printed in the forms that frameworks print or that --metric gives, and scalars of TensorBoard files in the output folder.",
  ],
  examples: ["slipway train run", "slipway train run --nproc 2 -- --epochs 3"],
};

function parsePattern(text: string): RegExp {
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
