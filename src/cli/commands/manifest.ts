import { serveManifest } from "../../app/index.ts";
import type { Run } from "../cli.ts";

/** `slipway manifest`: prints the objects, or what became of them. */
export const printObjects: Run<"manifest"> = async (request, { session, reporter }) => {
  const { isApplied, isCompared, file, helm } = request;
  const { objects, yaml, answer } = await serveManifest(request, session);
  const isShown = [isApplied, isCompared, file, helm].every((given) => given === undefined);
  for (const line of isShown ? yaml.trimEnd().split("\n") : answer) reporter.line(line);
  reporter.result({ objects });
};
