import type { PackdockerPlan, PackdockerRequest, PackdockerResult } from "../../app/index.ts";
import { planData, planLines } from "./plan.ts";
import type { Reporter } from "./reporter.ts";

/** The closing lines, and the same as data. */
export function reportPackdocker(
  reporter: Reporter,
  framework: PackdockerRequest["framework"],
  { names, descriptor, isPushed, images, server, answers }: PackdockerResult,
): void {
  const [image] = names;
  if (isPushed) reporter.line(`upload docker images successful. images:${image}`);
  reporter.line(`${image} ${descriptor.digest}${isPushed ? "" : " (in the local store)"}`);
  reporter.result({
    image,
    digest: descriptor.digest,
    isPushed,
    framework,
    server: server.kind,
    images,
    ...(answers.length > 0 && { tests: answers }),
  });
}

/** What would be made, who would answer in it, and what a push would send. */
export function reportPackdockerPlan(reporter: Reporter, plan: PackdockerPlan): void {
  const { image, server, images } = plan;
  reporter.line(`would make ${image}`);
  for (const line of planLines(plan)) reporter.line(line);
  reporter.line(`${server.kind} would serve: ${server.why}`);
  reporter.result({
    image,
    isDryRun: true,
    server: server.kind,
    layers: images
      .flatMap(({ layers }) => layers)
      .map(({ label, state, size }) => ({ label, state, size })),
    ...planData(plan),
  });
}
