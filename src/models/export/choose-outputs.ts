import type { GraphNode, GraphSignature, MetaGraph } from "../tensorflow/index.ts";
import { isChange, VARIABLE_OPS } from "./operations.ts";
import { nameSome, refuseWords } from "./refusal.ts";
import { resultCount } from "./result-type.ts";
import { dataInputs, isControl, nodeName, slotNumber } from "./tensor-name.ts";

/** Outputs of the Object Detection API; the last two only where the model makes masks or keypoints. */
export const DETECTION_OUTPUTS: readonly string[] = [
  "detection_boxes",
  "detection_scores",
  "detection_classes",
  "num_detections",
];
const OPTIONAL_OUTPUTS = ["detection_masks", "detection_keypoints"] as const;

/** The outputs that a graph tells by itself; `undefined` when it tells none. A signature comes before the detection outputs. */
export function knownOutputs(meta: MetaGraph): readonly string[] | undefined {
  const signature = servingSignature(meta);
  const tensors = [...(signature?.outputs.values() ?? [])].map(({ tensor }) => tensor);
  if (tensors.length > 0 && tensors.every((tensor) => tensor !== "")) return tensors;
  const names = new Set(meta.graph.nodes.map(({ name }) => name));
  if (!DETECTION_OUTPUTS.every((name) => names.has(name))) return undefined;
  return [...DETECTION_OUTPUTS, ...OPTIONAL_OUTPUTS.filter((name) => names.has(name))];
}

/** The signature that serving uses: `serving_default`, else the only one that is not TensorFlow's own. */
export function servingSignature({ signatures }: MetaGraph): GraphSignature | undefined {
  const main = signatures.get("serving_default");
  if (main !== undefined) return main;
  const others = [...signatures].filter(([name]) => !name.startsWith("__"));
  return others.length === 1 ? others[0]?.[1] : undefined;
}

/** @throws ToolError `USAGE` when an output is not in the graph. */
export function assertOutputs(meta: MetaGraph, outputs: readonly string[]): void {
  const nodes = new Map(meta.graph.nodes.map((node) => [node.name, node]));
  const names = [...nodes.keys()];
  for (const output of outputs) {
    const name = nodeName(output);
    const node = isControl(output) ? undefined : nodes.get(name);
    if (node !== undefined) {
      assertResult(output, resultCount(node, meta.ops));
      continue;
    }
    const last = name.slice(name.lastIndexOf("/") + 1).toLowerCase();
    const close = names.filter((one) => last !== "" && one.toLowerCase().includes(last));
    const hint = close.length > 0 ? `; it has ${nameSome(close)}` : `; ${suggestion(meta)}`;
    throw refuseWords(
      `choose output "${output}"`,
      `the graph has no node "${name}"${hint}`,
      "name nodes of the graph: --outputs NAME[:SLOT],…",
    );
  }
}

/** A node that only acts has no results, and one with two has no third. */
function assertResult(output: string, count: number | undefined): void {
  if (count === undefined || slotNumber(output) < count) return;
  throw refuseWords(
    `choose output "${output}"`,
    count === 0 ? "its node gives no value" : `its node gives ${count} values, numbered from 0`,
    "name a tensor of the graph: --outputs NAME[:SLOT],…",
  );
}

/** The error of a graph that does not tell its outputs. */
export function outputsMissing(meta: MetaGraph): Error {
  return refuseWords(
    "choose the outputs",
    `the graph has no signature, and no detection_boxes; ${suggestion(meta)}`,
    "say which tensors the frozen graph is to give: --outputs NAME[:SLOT],…",
  );
}

/** Results that nothing in the graph uses, or only training. */
function suggestion({ graph }: MetaGraph): string {
  const training =
    /(?:^|\/)(?:gradients?|save|train|init|global_step|report_uninitialized)|summar|Adam|Momentum|RMSProp|loss/i;
  const isCandidate = ({ name, op }: GraphNode): boolean =>
    !training.test(name) &&
    !isChange(op) &&
    !VARIABLE_OPS.has(op) &&
    op !== "NoOp" &&
    op !== "Const";
  const used = new Set(
    graph.nodes
      .filter(({ name }) => !training.test(name))
      .flatMap(({ inputs }) => dataInputs(inputs).map(nodeName)),
  );
  const ends = graph.nodes.filter((node) => isCandidate(node) && !used.has(node.name));
  return ends.length === 0
    ? "and nothing in it looks like one"
    : `candidates are ${nameSome(ends.map(({ name }) => name))}`;
}
