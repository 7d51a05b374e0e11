import { tensorAttr, type GraphNode } from "../../tensorflow/index.ts";
import { WireReader } from "../../../ground/wire/index.ts";
import { VARIABLE_OPS } from "../operations.ts";
import { dataInputs, nodeName } from "../tensor-name.ts";
import { refuseTrainingGraph } from "./refuse-training.ts";

/** Nodes by name. */
export type Nodes = ReadonlyMap<string, GraphNode>;

/** Where a training graph is cut. */
export interface SsdHeads {
  /** Box encodings of all feature maps, one after the other. */
  readonly encodings: string;
  readonly encodingsRank: number;
  readonly logits: string;
  readonly anchors: string;
  /** The batch of images that the feature extractor gets. */
  readonly images: string;
  /** Nodes between the images and the heads. */
  readonly inner: ReadonlySet<string>;
}

const BOX_HEAD = /(?:BoxEncodingPredictor|BoxPredictor|BoxHead)(?:_\d+)?\/(?:BiasAdd|Conv2D|add)/;
const CLASS_HEAD = /(?:ClassPredictor|ClassHead)(?:_\d+)?\/(?:BiasAdd|Conv2D|add)/;

/**
 * Finds the predictor's results, the anchors and the feature extractor's input in an SSD's training graph. With several towers, those of the first.
 * @throws ToolError `UNSUPPORTED` saying what is not there.
 */
export function findSsdHeads(nodes: Nodes): SsdHeads {
  const joins = [...nodes.values()].filter(({ op }) => op === "ConcatV2");
  const encodings = joins.find((node) => joinsHeads(nodes, node, BOX_HEAD));
  const logits = joins.find((node) => joinsHeads(nodes, node, CLASS_HEAD));
  const anchors = joins.find((node) => joinsAnchors(node));
  if (encodings === undefined || logits === undefined)
    throw refuseTrainingGraph("its box and class predictors are not found");
  if (anchors === undefined) throw refuseTrainingGraph("its anchors are not found");
  const { images, inner } = findImages(nodes, [encodings.name, logits.name]);
  return {
    encodings: encodings.name,
    encodingsRank: rankOf(nodes, encodings),
    logits: logits.name,
    anchors: anchors.name,
    images,
    inner,
  };
}

function joinsHeads(nodes: Nodes, join: GraphNode, head: RegExp): boolean {
  const parts = dataInputs(join.inputs).slice(0, -1);
  return (
    parts.length > 0 &&
    parts.every((part) => {
      const reshape = nodes.get(nodeName(part));
      const source = reshape?.op === "Reshape" ? headBehind(nodes, reshape) : "";
      // A class predictor lies inside of a box predictor's scope.
      return head === BOX_HEAD
        ? BOX_HEAD.test(source) && !CLASS_HEAD.test(source)
        : CLASS_HEAD.test(source);
    })
  );
}

/** Name of the first node behind a reshape that is no reshape, identity or activation. */
function headBehind(nodes: Nodes, reshape: GraphNode): string {
  let node: GraphNode | undefined = reshape;
  for (let hops = 0; node !== undefined && hops < 20; hops += 1) {
    if (!["Reshape", "Identity", "Sigmoid", "Transpose"].includes(node.op)) return node.name;
    node = nodes.get(nodeName(node.inputs[0] ?? ""));
  }
  return "";
}

function joinsAnchors({ name, inputs }: GraphNode): boolean {
  const parts = dataInputs(inputs).slice(0, -1);
  return (
    !/AnchorGenerator/.test(name) &&
    parts.length > 0 &&
    parts.every((part) => /AnchorGenerator(?:_\d+)?\//.test(part))
  );
}

/** Rank of what the heads are reshaped to. */
function rankOf(nodes: Nodes, join: GraphNode): number {
  const reshape = nodes.get(nodeName(join.inputs[0] ?? ""));
  const shape = nodes.get(nodeName(reshape?.inputs[1] ?? ""));
  if (shape?.op === "Pack") return dataInputs(shape.inputs).length;
  const values = shape === undefined ? undefined : int32Values(shape);
  if (values === undefined) throw refuseTrainingGraph("the shape of its predictors is not known");
  return values.length;
}

const INNER_SCOPE =
  /(?:^|\/)(?:FeatureExtractor|[A-Za-z]*BoxPredictor|[A-Za-z]*ClassPredictor)(?:_\d+)?(?:\/|$)/;

/** Goes back from the heads to what comes from outside of feature extractor and predictors. */
function findImages(nodes: Nodes, heads: readonly string[]): Pick<SsdHeads, "images" | "inner"> {
  const inner = new Set<string>();
  const outer = new Set<string>();
  const open = [...heads];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = nodes.get(name);
    if (node === undefined || inner.has(name)) continue;
    inner.add(name);
    for (const input of dataInputs(node.inputs)) {
      const source = nodes.get(nodeName(input));
      if (source === undefined) continue;
      if (INNER_SCOPE.test(source.name) || isFixed(nodes, source)) open.push(source.name);
      else outer.add(input);
    }
  }
  const [images, another] = outer;
  if (images === undefined || another !== undefined)
    throw refuseTrainingGraph(
      `its feature extractor's input is not found (${[...outer].slice(0, 4).join(", ") || "none"})`,
    );
  return { images, inner };
}

function isFixed(nodes: Nodes, node: GraphNode): boolean {
  if (node.op === "Const" || VARIABLE_OPS.has(node.op)) return true;
  const source = nodes.get(nodeName(node.inputs[0] ?? ""));
  const reads = node.op === "Identity" || node.op === "ReadVariableOp";
  return reads && source !== undefined && VARIABLE_OPS.has(source.op);
}

/** Values of a constant vector of int32; `undefined` for other nodes. */
export function int32Values(node: GraphNode): readonly number[] | undefined {
  const tensor = node.op === "Const" ? tensorAttr(node.attrs.get("value")) : undefined;
  if (tensor === undefined) return undefined;
  const reader = new WireReader(tensor);
  const values: number[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((4 << 3) | 2)) {
      const bytes = reader.bytes();
      for (let at = 0; at + 4 <= bytes.byteLength; at += 4) values.push(bytes.readInt32LE(at));
    } else if (tag === ((7 << 3) | 0)) values.push(reader.int32());
    else if (tag === ((7 << 3) | 2)) {
      const outer = reader.enter();
      while (reader.at < reader.end) values.push(reader.int32());
      reader.leave(outer);
    } else reader.skip(tag);
  }
  return values;
}
