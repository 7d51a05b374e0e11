import {
  deleteJob,
  joinParts,
  planTrainPack,
  readJobLogs,
  splitFile,
  trainManifest,
  trainPack,
  trainRun,
  waitForJob,
  type CommandName,
} from "../../app/index.ts";
import { resolve } from "node:path";
import type { Run } from "../cli.ts";
import { reportTrainPack, reportTrainPlan, reportTrainRun } from "../render/train.ts";
import { withTrainingScreen } from "../render/training-screen.ts";

/** `slipway train pack`, `slipway pytorch pack` and the like: makes the images of a training job, or says what would be made. */
export const packTraining: Run<`${string} pack` & CommandName> = async (
  words,
  { session, reporter, readSecret },
) => {
  const { isPasswordOnStdin = false, isDryRun = false, ...rest } = words;
  const request = { ...rest, password: isPasswordOnStdin ? await readSecret() : undefined };
  if (isDryRun) return reportTrainPlan(reporter, await planTrainPack(request, session));
  reportTrainPack(reporter, await trainPack(request, session));
};

/** `slipway train run`. @throws ToolError `PROCESS_FAILED` when the script fails. */
export const runTraining: Run<"train run"> = async (request, cli) => {
  const { session, reporter } = withTrainingScreen(cli);
  reportTrainRun(reporter, await trainRun(request, session));
};

/** `slipway train manifest`: prints a cluster's object, or what kubectl said of it. */
export const printManifest: Run<"train manifest"> = async (request, { session, reporter }) => {
  const { manifest, yaml, applied } = await trainManifest(request, session);
  const isShown = request.isApplied !== true && request.file === undefined;
  for (const line of isShown ? yaml.trimEnd().split("\n") : applied) reporter.line(line);
  reporter.result({ manifest });
};

/** `slipway train logs`: what the pods print is the command's output. */
export const logs: Run<"train logs"> = async (request, { session, reporter }) => {
  const job = await readJobLogs(request, {
    ...session,
    emit: (event) =>
      event.kind === "output" ? reporter.line(event.text.trimEnd()) : session.emit(event),
  });
  reporter.result({ ...job });
};

/** `slipway train wait`. */
export const wait: Run<"train wait"> = async (request, { session, reporter }) => {
  const job = await waitForJob(request, session);
  reporter.line(`${job.name} has ended`);
  reporter.result({ ...job });
};

/** `slipway train delete`. */
export const remove: Run<"train delete"> = async (request, { session, reporter }) => {
  const job = await deleteJob(request, session);
  reporter.line(`${job.name} is deleted`);
  reporter.result({ ...job });
};

/** `slipway train split`. */
export const split: Run<"train split"> = async (words, { session, reporter }) => {
  const { folder, file, target, partBytes } = words;
  const parts = await splitFile(resolve(folder, file), target, {
    partBytes,
    signal: session.signal,
  });
  for (const part of parts) reporter.line(part);
  reporter.result({ parts });
};

/** `slipway train join`. */
export const join: Run<"train join"> = async (words, { session, reporter }) => {
  const { folder, prefix, target, isKeeping } = words;
  const options = { isKeeping, signal: session.signal };
  const parts = await joinParts({ folder, prefix }, resolve(session.cwd, target), options);
  reporter.line(`${target} from ${parts} parts`);
  reporter.result({ target, parts });
};
