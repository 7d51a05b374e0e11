import { planTrainPack, trainManifest, trainPack, trainRun } from "../app/index.ts";
import type { TrainFramework } from "../app/words/index.ts";
import type { Cli } from "./cli.ts";
import { withReachFlags } from "./registry-flags.ts";
import { reportTrainPack, reportTrainPlan, reportTrainRun } from "./render/train.ts";
import { withTrainingScreen } from "./render/training-screen.ts";
import { trainRequestOf, type TrainPackFlags } from "./train-flags.ts";
import {
  trainManifestRequestOf,
  trainRunRequestOf,
  type TrainManifestFlags,
  type TrainRunFlags,
} from "./train-words.ts";

/** Makes the images of a training job, or says what would be made. */
export async function packTraining(
  framework: TrainFramework,
  flags: TrainPackFlags,
  cli: Cli,
): Promise<void> {
  const { session, reporter } = withReachFlags(cli, flags);
  const password = flags.passwordStdin === true ? await cli.readSecret() : undefined;
  const request = trainRequestOf(framework, flags, password);
  if (flags.dryRun === true)
    return reportTrainPlan(reporter, await planTrainPack(request, session));
  reportTrainPack(reporter, await trainPack(request, session));
}

/** Runs a packed job. @param parameters - further ones of the script. @throws ToolError `PROCESS_FAILED` when the script fails. */
export async function runTraining(
  parameters: readonly string[],
  flags: TrainRunFlags,
  cli: Cli,
): Promise<void> {
  const { session, reporter } = withTrainingScreen(withReachFlags(cli, flags));
  reportTrainRun(
    reporter,
    await trainRun(trainRunRequestOf(parameters, flags, session.environment), session),
  );
}

/** Prints a cluster's object, or what kubectl said of it. */
export async function printTrainManifest(
  parameters: readonly string[],
  flags: TrainManifestFlags,
  { session, reporter }: Cli,
): Promise<void> {
  const { manifest, yaml, applied } = await trainManifest(
    trainManifestRequestOf(parameters, flags),
    session,
  );
  const isShown = flags.apply !== true && flags.file === undefined;
  for (const line of isShown ? yaml.trimEnd().split("\n") : applied) reporter.line(line);
  reporter.result({ manifest });
}
