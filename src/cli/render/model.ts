import type { DescribedModel, Detail, StatedTensor } from "../../app/index.ts";
import { formatBytes, formatTable } from "./format.ts";

const MAX_LINES = 40;
const MAX_VALUE = 160;

/** A described model for people. */
export function describedLines({
  path,
  detected,
  bytes,
  requirements,
}: DescribedModel): readonly string[] {
  const { chosen, signature, obstacle, details, labels } = detected;
  const inputs = detected.inputs ?? signature?.inputs ?? [];
  const outputs = detected.outputs ?? signature?.outputs ?? [];
  const rows = Object.entries(details).map(([key, value]) => [`  ${key}`, shortened(value)]);
  return [
    path,
    `  kind        ${chosen.kind}`,
    `  model       ${chosen.label}`,
    `  size        ${formatBytes(bytes)} in ${detected.files.length} file${detected.files.length === 1 ? "" : "s"}`,
    ...tensorLines("inputs", inputs),
    ...tensorLines("outputs", outputs),
    ...(labels === undefined ? [] : [`  labels      ${shortened([...labels])}`]),
    ...(requirements.length === 0 ? [] : [`  needs       ${requirements.join(", ")}`]),
    "details",
    ...formatTable(rows.slice(0, MAX_LINES)),
    ...(obstacle === undefined ? [] : ["", `not served: ${obstacle.why}`, `  ${obstacle.hint}`]),
  ];
}

function tensorLines(title: string, tensors: readonly StatedTensor[]): readonly string[] {
  if (tensors.length === 0) return [];
  const rows = tensors.map(({ name, datatype = "not stated", shape, isOptional }) => [
    `    ${name}`,
    datatype,
    shape === null ? "any rank" : `[${shape.join(", ")}]`,
    isOptional === true ? "optional" : "",
  ]);
  return [`  ${title}`, ...formatTable(rows.slice(0, MAX_LINES))];
}

function shortened(value: Detail): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}

/** The description as data. */
export function describedData({
  path,
  detected,
  bytes,
  requirements,
  runtime,
}: DescribedModel): Readonly<Record<string, unknown>> {
  const { chosen, signature, obstacle } = detected;
  return {
    path,
    kind: chosen.kind,
    label: chosen.label,
    modelPath: chosen.modelPath,
    code: chosen.code,
    runtime,
    inputs: detected.inputs ?? signature?.inputs,
    outputs: detected.outputs ?? signature?.outputs,
    signature,
    details: detected.details,
    labels: detected.labels,
    files: detected.files,
    bytes,
    requirements,
    warnings: detected.warnings,
    isServed: obstacle === undefined,
    obstacle,
  };
}
