import { packdocker as packForUai, planPackdocker, type CommandName } from "../../app/index.ts";
import type { Run } from "../cli.ts";
import { reportPackdocker, reportPackdockerPlan } from "../render/packdocker.ts";

/** `slipway packdocker MODE`. */
export const packdocker: Run<`packdocker ${string}` & CommandName> = async (words, cli) => {
  const { session, reporter } = cli;
  const { isPasswordOnStdin = false, isPlan = false, isDryRun = false, ...rest } = words;
  const request = { ...rest, password: isPasswordOnStdin ? await cli.readSecret() : undefined };
  if (isPlan || isDryRun) {
    const plan = await planPackdocker({ ...request, isKept: !isDryRun }, session);
    return reportPackdockerPlan(reporter, plan);
  }
  reportPackdocker(reporter, request.framework, await packForUai(request, session));
};
