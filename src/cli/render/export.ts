import type { ExportResult } from "../../app/index.ts";
import { formatBytes } from "./format.ts";
import type { Reporter } from "./reporter.ts";

/** Says what was written. */
export function reportExport(result: ExportResult, reporter: Reporter): void {
  reporter.line(`${result.output}  ${formatBytes(result.size)}, ${result.nodes} nodes`);
  reporter.line(`  from     ${result.source}`);
  reporter.line(`  inputs   ${result.inputs.join(", ")}`);
  reporter.line(`  outputs  ${result.outputs.join(", ")}`);
  if (result.savedModel !== undefined) reporter.line(`  as well  ${result.savedModel}`);
  reporter.result({ ...result });
}
