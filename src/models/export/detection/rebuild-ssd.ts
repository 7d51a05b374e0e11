import type { Graph, GraphNode } from "../../tensorflow/index.ts";
import { GraphBuilder } from "../graph-builder.ts";
import { isControl, nodeName } from "../tensor-name.ts";
import { findSsdHeads } from "./find-heads.ts";
import { toInferenceMode } from "./inference-mode.ts";
import type { SsdPipeline } from "./pipeline.ts";
import { addPostprocessing } from "./postprocess.ts";
import { addPreprocessing } from "./preprocess.ts";

const SCOPE = "Inference";

/**
 * Makes an inference graph of an SSD's training graph: the trained part from the feature extractor to the predictors is kept and turned
 * to inference; in front come `image_tensor`, resizing and normalisation, behind box decoding, score conversion and suppression, as
 * `pipeline.config` says. The result has the four outputs of the Object Detection API's own exporter.
 * @throws ToolError `UNSUPPORTED` saying what the graph does not have.
 */
export function rebuildSsd(graph: Graph, pipeline: SsdPipeline): Graph {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  const heads = findSsdHeads(nodes);
  const builder = new GraphBuilder(freeScope(nodes));
  const { images, batchSize, filled } = addPreprocessing(builder, nodes, pipeline);
  const changed = toInferenceMode({ nodes, heads, builder, batchSize });
  addPostprocessing(builder, { ...heads, filled }, pipeline);
  const kept = graph.nodes
    .filter(({ name }) => name !== "image_tensor")
    .map((node) => redirect(changed.get(node.name) ?? node, heads.images, images));
  return { ...graph, nodes: [...builder.nodes, ...kept] };
}

function redirect(node: GraphNode, from: string, to: string): GraphNode {
  const isSame = (input: string): boolean => input === from || input === `${from}:0`;
  if (!node.inputs.some(isSame)) return node;
  return { ...node, inputs: node.inputs.map((input) => (isSame(input) ? to : input)) };
}

function freeScope(nodes: ReadonlyMap<string, GraphNode>): string {
  const taken = new Set([...nodes.keys()].map((name) => nodeName(name).split("/")[0]));
  let scope = SCOPE;
  for (let number = 1; taken.has(scope); number += 1) scope = `${SCOPE}_${number}`;
  return scope;
}

/** True when nothing but training comes out of a graph that the Object Detection API built. */
export function isDetectionTraining({ nodes }: Graph): boolean {
  let hasPredictor = false;
  for (const { name, inputs } of nodes) {
    if (name === "detection_boxes") return false;
    hasPredictor ||= /BoxPredictor|RPN/.test(name) && inputs.some((input) => !isControl(input));
  }
  return hasPredictor;
}
