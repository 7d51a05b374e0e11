import { setFlagsFromString } from "node:v8";
import { pack as packProject, planPack } from "../../app/index.ts";
import type { Run } from "../cli.ts";
import { reportImages } from "../render/images.ts";
import { planData, planLines } from "../render/plan.ts";

/** `slipway pack`. */
export const pack: Run<"pack"> = async (words, { session, reporter }) => {
  keepYoungGenerationSmall();
  const { isPlan = false, isDryRun = false, ...request } = words;
  if (!isPlan && !isDryRun) return reportImages(reporter, await packProject(request, session));
  const plan = await planPack({ ...request, isKept: !isDryRun }, session);
  for (const line of planLines(plan)) reporter.line(line);
  reporter.result(planData(plan));
};

/**
 * Packing passes many large buffers through, which are freed when the objects that hold them are. A young generation that has grown to
 * its 100 MB lets them pile up; kept as it is now, the whole takes half the memory in the same time.
 */
function keepYoungGenerationSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
