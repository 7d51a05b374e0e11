import type { ConvertResult, ExportResult } from "../../app/index.ts";
import { differenceInWords } from "../../app/shown/index.ts";
import { formatBytes, formatTable } from "./format.ts";
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

/** Says what was made, and how its answers compare. */
export function reportConversion(result: ConvertResult, reporter: Reporter): void {
  const { output, size, kind, converter, opset, inputs, outputs, differences } = result;
  reporter.line(`${output}  ${formatBytes(size)}, opset ${opset}`);
  reporter.line(`  from     ${result.source} (${kind}), by ${converter}`);
  reporter.line(`  inputs   ${inputs.join(", ")}`);
  reporter.line(`  outputs  ${outputs.join(", ")}`);
  reporter.line(`  alike    within ${result.tolerance}:`);
  const rows = differences.map((one) => ["   ", one.output, one.sample, differenceInWords(one)]);
  for (const line of formatTable(rows)) reporter.line(line);
  reporter.result({ ...result });
}

/** One line on a model that was converted for a pack. */
export function conversionLine({
  source,
  kind,
  converter,
  tolerance,
}: Omit<ConvertResult, "output">): string {
  return `${source} (${kind}) became ONNX by ${converter}; its answers are alike within ${tolerance}`;
}
