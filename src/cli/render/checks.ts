import type { Check } from "../../app/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { formatTable } from "./format.ts";
import type { Reporter } from "./reporter.ts";

/** Shows the checks as a table. @throws ToolError with the first failed check's code when one failed. */
export function reportChecks(checks: readonly Check[], subject: string, reporter: Reporter): void {
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
