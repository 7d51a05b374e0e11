import {
  writeGraph,
  writeSavedModel,
  type Checkpoint,
  type Graph,
  type GraphNode,
  type MetaGraph,
  type NamedTensor,
  type Rope,
} from "../tensorflow/index.ts";
import {
  assertOutputs,
  DETECTION_OUTPUTS,
  knownOutputs,
  outputsMissing,
  servingSignature,
} from "./choose-outputs.ts";
import { parseSsdPipeline } from "./detection/pipeline.ts";
import { refuseTrainingGraph } from "./detection/refuse-training.ts";
import { isDetectionTraining, rebuildSsd } from "./detection/rebuild-ssd.ts";
import { freezeGraph, type FrozenGraph } from "./freeze.ts";
import { MAX_MESSAGE_BYTES, type GraphSource } from "./graph-source.ts";
import { withInputType, type InputType } from "./input-type.ts";
import { refuseGraph, refuseWords } from "./refusal.ts";
import { replaceInputs, type InputReplacement } from "./replace-inputs.ts";
import { readRestoreMap, type SavedPlace } from "./restore-map.ts";
import { notedShape, resultType } from "./result-type.ts";
import { nodeName, slotNumber } from "./tensor-name.ts";
import { createVariableValues } from "./variable-values.ts";

/** What a frozen graph is to have. */
export interface ExportOptions {
  /** Tensors; default what the graph tells by a signature or the names of the Object Detection API. */
  readonly outputs?: readonly string[] | undefined;
  /** Placeholders in the place of tensors. */
  readonly inputs?: readonly InputReplacement[] | undefined;
  /** How images come in, for graphs of the Object Detection API. */
  readonly inputType?: InputType | undefined;
}

/** A frozen graph that is not written yet. Its values are still in the source's files: write it before the source is closed. */
export interface ExportedGraph {
  /** The GraphDef, to be streamed. */
  readonly bytes: Rope;
  /** The same as `saved_model.pb`. @throws ToolError `UNSUPPORTED` when the type of an output is not known. */
  readonly savedModel: () => Rope;
  readonly outputs: readonly string[];
  /** Names of the placeholders. */
  readonly inputs: readonly string[];
  readonly nodeCount: number;
  readonly functionCount: number;
}

/**
 * Freezes a graph with its checkpoint. Tensors are read when the result is streamed.
 * @throws ProjectError `MODEL_FILE_INVALID` naming a file, ToolError `UNSUPPORTED` naming a node, `USAGE` for outputs or inputs that are not there.
 */
export function exportGraph(source: GraphSource, options: ExportOptions = {}): ExportedGraph {
  const { graph, outputs, places } = prepare(source, options);
  const meta: MetaGraph = { ...source.meta, graph };
  const values = createVariableValues(source.checkpoint, places);
  const frozen = freezeGraph(graph, outputs, values);
  const bytes = writeGraph(frozen.graph, frozen.streamedOf);
  assertReadable(bytes);
  const { nodes, functions } = frozen.graph;
  return {
    bytes,
    savedModel: () => savedModelOf(meta, frozen, { outputs, bytes }),
    outputs,
    inputs: nodes.filter(isPlaceholder).map(({ name }) => name),
    nodeCount: nodes.length,
    functionCount: functions.length,
  };
}

/** A graph that is ready to be frozen. */
interface PreparedGraph {
  readonly graph: Graph;
  readonly outputs: readonly string[];
  readonly places: ReadonlyMap<string, SavedPlace>;
}

function prepare(source: GraphSource, options: ExportOptions): PreparedGraph {
  const { ops } = source.meta;
  const replaced = replaceInputs(source.meta.graph, options.inputs ?? [], ops);
  const places = readRestoreMap(source.meta);
  const { inputType } = options;
  const decoded = (graph: Graph): Graph =>
    inputType === undefined ? graph : withInputType(graph, inputType);
  const meta: MetaGraph = { ...source.meta, graph: replaced };
  const outputs = options.outputs ?? knownOutputs(meta);
  if (outputs !== undefined) {
    assertOutputs(meta, outputs);
    return { graph: decoded(replaced), outputs, places };
  }
  if (!isDetectionTraining(replaced)) throw outputsMissing(meta);
  if (source.pipeline === undefined)
    throw refuseTrainingGraph("there is no pipeline.config beside it to rebuild it by");
  const pipeline = parseSsdPipeline(source.pipeline.text, source.pipeline.name);
  return {
    graph: decoded(rebuildSsd(replaced, pipeline)),
    outputs: DETECTION_OUTPUTS,
    places: pipeline.usesMovingAverages ? averaged(places, source.checkpoint) : places,
  };
}

/** The moving averages of the variables that have one. */
function averaged(
  places: ReadonlyMap<string, SavedPlace>,
  { tensors }: Checkpoint,
): ReadonlyMap<string, SavedPlace> {
  return new Map(
    [...places].map(([variable, place]) => {
      const key = `${place.key}/ExponentialMovingAverage`;
      return [variable, tensors.has(key) ? { ...place, key } : place];
    }),
  );
}

function isPlaceholder({ op }: GraphNode): boolean {
  return op === "Placeholder" || op === "PlaceholderV2" || op === "PlaceholderWithDefault";
}

function savedModelOf(
  meta: MetaGraph,
  { graph }: FrozenGraph,
  written: { readonly outputs: readonly string[]; readonly bytes: Rope },
): Rope {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  const signature = servingSignature(meta);
  const keys = new Map(
    [...(signature?.inputs ?? []), ...(signature?.outputs ?? [])].map(([key, { tensor }]) => [
      tensor,
      key,
    ]),
  );
  const named = (tensor: string): NamedTensor => {
    const node = nodes.get(nodeName(tensor));
    const slot = slotNumber(tensor);
    const dtype = node === undefined ? 0 : resultType(node, slot, meta.ops);
    if (node === undefined || dtype === 0)
      throw refuseGraph(
        `the type of "${tensor}" is not known, so a SavedModel cannot say it`,
        "export the frozen graph alone",
      );
    const full = `${node.name}:${slot}`;
    const key = keys.get(full) ?? (slot === 0 ? node.name : `${node.name}_${slot}`);
    return { key, tensor: full, dtype, shape: notedShape(node, slot) };
  };
  const isDetector = DETECTION_OUTPUTS.every((name) => written.outputs.includes(name));
  const placeholders = graph.nodes.filter((node) => node.op === "Placeholder");
  return writeSavedModel(written.bytes, {
    inputs: placeholders.map(({ name }) =>
      // The name that the API's own exporter gives, and so what clients send.
      isDetector && placeholders.length === 1 ? { ...named(name), key: "inputs" } : named(name),
    ),
    outputs: written.outputs.map(named),
  });
}

function assertReadable({ size }: Rope): void {
  if (size > MAX_MESSAGE_BYTES)
    throw refuseGraph(
      `the frozen graph would have ${size} bytes, and TensorFlow reads at most ${MAX_MESSAGE_BYTES}`,
      "serve the checkpoint or a SavedModel instead of a frozen graph",
    );
}

/** Outputs of one of a graph's signatures. @throws ToolError `USAGE` naming the signatures that there are. */
export function signatureOutputs({ signatures }: MetaGraph, name: string): readonly string[] {
  const signature = signatures.get(name);
  if (signature !== undefined) return [...signature.outputs.values()].map(({ tensor }) => tensor);
  throw refuseWords(
    `choose signature "${name}"`,
    `the graph has ${[...signatures.keys()].map((one) => `"${one}"`).join(", ") || "none"}`,
    "choose one of these with --signature, or tensors with --outputs",
  );
}
