import { ToolError, type ErrorCode } from "../../ground/errors/index.ts";
import type { Context } from "../context.ts";
import { formatTable } from "../format.ts";

/** One thing that `slipway doctor` looked at. */
export interface Check {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  /** What was found. Never a secret. */
  readonly detail: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Code of the error that a failed check ends the command with. Default `USAGE`. */
  readonly code?: ErrorCode;
}

/** Shows the checks as a table. @throws ToolError with the first failed check's code when one failed. */
export function reportChecks(
  checks: readonly Check[],
  subject: string,
  { reporter }: Context,
): void {
  for (const line of formatTable(checks.map(({ status, name, detail }) => [status, name, detail])))
    reporter.line(line);
  const advice = checks.filter(({ status, hint }) => status !== "ok" && hint !== undefined);
  if (advice.length > 0) reporter.line("");
  for (const { name, hint } of advice) reporter.line(`${name}: ${hint ?? ""}`);
  reporter.result({ subject, checks });
  const failed = checks.filter(({ status }) => status === "fail");
  const [first] = failed;
  if (first === undefined) return;
  throw new ToolError(
    first.code ?? "USAGE",
    `check ${subject}: ${failed.length} of ${checks.length} checks failed, first "${first.name}": ${first.detail}`,
    { hint: first.hint },
  );
}
