import type { PackProject } from "../../images/pack/index.ts";
import type { Context } from "../context.ts";
import type { Packed } from "../pack/deliver.ts";
import { forecastPush, withSmallDigests } from "../pack/forecast.ts";
import type { CheckedJob } from "./packdocker-check.ts";
import type { PackdockerFlags } from "./packdocker-flags.ts";
import type { ChosenServer } from "./packdocker-server.ts";
import { planData, planLines } from "../pack/plan.ts";

export interface PackdockerPlan {
  readonly checked: CheckedJob;
  readonly project: PackProject;
  readonly flags: PackdockerFlags;
  readonly packed: readonly Packed[];
  readonly server: ChosenServer;
  readonly context: Context;
}

/** Says what would be made, who would answer in it, and what a push would send; a registry that does not answer is passed over. */
export async function reportPlan({
  checked: { job, mainClass },
  project,
  flags,
  packed,
  server,
  context,
}: PackdockerPlan): Promise<void> {
  const images = await withSmallDigests(packed, context);
  const forecasts = flags.push === false ? [] : [await forecastPush(job.image, images, context)];
  const detected = {
    chosen: { label: `class ${mainClass} of ${job.release ?? job.framework}` },
    details: {},
  };
  const plan = { loaded: { project, detected }, images, forecasts };
  context.reporter.line(`would make ${job.image}`);
  for (const line of planLines(plan)) context.reporter.line(line);
  context.reporter.line(`${server.kind} would serve: ${server.why}`);
  const layers = images
    .flatMap(({ image }) => image.layers)
    .map(({ label, state, size }) => ({ label, state, size }));
  context.reporter.result({
    image: job.image,
    isDryRun: true,
    server: server.kind,
    layers,
    ...planData(plan),
  });
}
