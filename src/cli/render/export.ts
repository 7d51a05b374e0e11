import type { Context } from "../../app/context.ts";
import type { ExportResult } from "../../app/export.ts";
import { formatBytes } from "../../app/format.ts";

/** Says what was written. */
export function reportExport(result: ExportResult, { reporter }: Context): void {
  reporter.line(`${result.output}  ${formatBytes(result.size)}, ${result.nodes} nodes`);
  reporter.line(`  from     ${result.source}`);
  reporter.line(`  inputs   ${result.inputs.join(", ")}`);
  reporter.line(`  outputs  ${result.outputs.join(", ")}`);
  if (result.savedModel !== undefined) reporter.line(`  as well  ${result.savedModel}`);
  reporter.result({ ...result });
}
