import { DT, type Graph, type GraphNode } from "../../tensorflow/index.ts";
import { attr, GraphBuilder } from "../graph-builder.ts";
import { isControl, nodeName } from "../tensor-name.ts";
import { findSsdHeads } from "./find-heads.ts";
import { toInferenceMode } from "./inference-mode.ts";
import type { SsdPipeline } from "./pipeline.ts";
import { addPostprocessing } from "./postprocess.ts";

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
  const { images, batchSize } = addPreprocessing(builder, pipeline);
  const changed = toInferenceMode({ nodes, heads, builder, batchSize });
  addPostprocessing(builder, heads, pipeline);
  const kept = graph.nodes
    .filter(({ name }) => name !== "image_tensor")
    .map((node) => redirect(changed.get(node.name) ?? node, heads.images, images));
  return { ...graph, nodes: [...builder.nodes, ...kept] };
}

/** The same picture in, the same numbers out as the API's preprocessing gives. */
function addPreprocessing(
  builder: GraphBuilder,
  { resize, scale, offset }: SsdPipeline,
): { readonly images: string; readonly batchSize: string } {
  const pixels = builder.add(
    "Placeholder",
    [],
    { dtype: attr.type(DT.uint8), shape: attr.shape([-1, -1, -1, 3]) },
    "image_tensor",
  );
  const floats = builder.add("Cast", [pixels], {
    SrcT: attr.type(DT.uint8),
    DstT: attr.type(DT.float32),
  });
  const size = builder.ints([resize.height, resize.width], [2]);
  const resized = builder.add(resize.op, [floats, size], {
    T: attr.type(DT.float32),
    align_corners: attr.bool(false),
  });
  const scaled = scale === 1 ? resized : builder.float("Mul", builder.floats([scale]), resized);
  const shape = offset.length === 1 ? [] : [offset.length];
  const images = builder.float("Sub", scaled, builder.floats(offset, shape));
  return { images, batchSize: builder.length(images) };
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
