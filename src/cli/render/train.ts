import type { TrainPackPlan, TrainPackResult, TrainRunResult } from "../../app/index.ts";
import { formatBytes, formatDuration, formatTable } from "./format.ts";
import { ScriptError } from "../script-error.ts";
import type { Reporter } from "./reporter.ts";

/** The commands, the images by digest, and the same as data. */
export function reportTrainPack(reporter: Reporter, result: TrainPackResult): void {
  const { framework, byAccelerator, commands, files } = result;
  for (const line of commands) reporter.line(line);
  reporter.line(`You can check these cmd later in file: ${files[0] ?? ""}`);
  for (const { name, digest, isPushed } of Object.values(byAccelerator))
    reporter.line(`${name} ${digest}${isPushed ? "" : " (in the local store)"}`);
  if (result.isForThisMachineOnly)
    reporter.line(
      "nothing was pushed: --acc_type cpu makes an image for this machine only; --push-cpu pushes it",
    );
  const seconds = Math.round(result.tookMs) / 1000;
  reporter.step(`done in ${formatDuration(seconds * 1000)}`);
  reporter.result({ framework, images: byAccelerator, commands, files, seconds });
}

/** What would be made of what. */
export function reportTrainPlan(
  reporter: Reporter,
  { images, files, bytes, platform, commands }: TrainPackPlan,
): void {
  const rows = images.map(({ name, base, packages, problem = "" }) => [
    name,
    base ?? `none: ${problem}`,
    packages.join(", "),
  ]);
  for (const line of formatTable([["image", "base", "packages"], ...rows])) reporter.line(line);
  reporter.line(`code: ${files} files, ${formatBytes(bytes)}, for ${platform}`);
  for (const line of commands) reporter.line(line);
  reporter.result({
    isDryRun: true,
    images: Object.fromEntries(images.map(({ accelerator, name }) => [accelerator, name])),
    files,
    bytes,
    commands,
  });
}

/** What a run left. @throws ScriptError `PROCESS_FAILED` when the script failed. */
export function reportTrainRun(reporter: Reporter, result: TrainRunResult): void {
  const { exitCode, files, tookMs } = result;
  reporter.line(
    `exit code ${exitCode} after ${formatDuration(tookMs)}${result.isOutOfMemory ? ": it used more memory than it may have" : ""}`,
  );
  const rows = files.map(({ path, size }) => [`  ${path}`, formatBytes(size)]);
  for (const line of formatTable(rows, [1])) reporter.line(line);
  if (files.length === 0) reporter.line(`nothing new in ${result.outputFolder}`);
  if (result.svg !== undefined) reporter.line(`curves: ${result.svg}`);
  reporter.result({
    exitCode,
    digest: result.digest,
    files,
    metrics: result.metrics,
    seconds: Math.round(tookMs) / 1000,
  });
  if (exitCode !== 0)
    throw new ScriptError(`train run "${result.mainFile}": it ended with exit code ${exitCode}`, {
      exitCode,
      hint: "read the lines above, which are its own",
    });
  if (files.length > 0) reporter.line(`pack what it left: slipway pack ${result.output}`);
}
