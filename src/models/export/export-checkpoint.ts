import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import {
  invalidFile,
  openCheckpoint,
  parseMetaGraph,
  parsing,
  writeGraph,
  type FoundCheckpoint,
  type GraphNode,
  type MetaGraph,
  type Rope,
} from "../tensorflow/index.ts";
import { assertOutputs, knownOutputs, outputsMissing } from "./choose-outputs.ts";
import { freezeGraph } from "./freeze.ts";
import { refuseGraph } from "./refusal.ts";
import { replaceInputs, type InputReplacement } from "./replace-inputs.ts";
import { readRestoreMap } from "./restore-map.ts";
import { createVariableValues } from "./variable-values.ts";

/** What a frozen graph is to have. */
export interface ExportOptions {
  /** Tensors; default what the graph tells by a signature or the names of the Object Detection API. */
  readonly outputs?: readonly string[] | undefined;
  /** Placeholders in the place of tensors. */
  readonly inputs?: readonly InputReplacement[] | undefined;
}

/** A frozen graph that is not written yet. Its values are still in the checkpoint's files: write it before it is disposed of. */
export interface ExportedGraph extends Disposable {
  /** The GraphDef, to be streamed. */
  readonly bytes: Rope;
  readonly outputs: readonly string[];
  /** Names of the placeholders. */
  readonly inputs: readonly string[];
  readonly nodeCount: number;
  readonly functionCount: number;
}

/** A protobuf message has at most this many bytes, and TensorFlow reads no longer one. */
const MAX_GRAPH_BYTES = 2 ** 31 - 1;

/**
 * Freezes a checkpoint with the graph beside it. Reads the graph and the list of tensors; the tensors are read when the result is streamed.
 * @throws ProjectError `MODEL_FILE_INVALID` naming a file, ToolError `UNSUPPORTED` naming a node, `USAGE` for outputs or inputs that are not there.
 */
export async function exportCheckpoint(
  found: FoundCheckpoint,
  options: ExportOptions = {},
): Promise<ExportedGraph> {
  const meta = await readMeta(found);
  const graph = replaceInputs(meta.graph, options.inputs ?? [], meta.ops);
  const replaced: MetaGraph = { ...meta, graph };
  const outputs = options.outputs ?? knownOutputs(replaced);
  if (outputs === undefined) throw outputsMissing(replaced);
  assertOutputs(replaced, outputs);
  const checkpoint = openCheckpoint(found);
  try {
    const values = createVariableValues(checkpoint, readRestoreMap(meta));
    const frozen = freezeGraph(graph, outputs, values);
    const bytes = writeGraph(frozen.graph, frozen.streamedOf);
    assertReadable(bytes);
    return {
      bytes,
      outputs,
      inputs: frozen.graph.nodes.filter(isPlaceholder).map(({ name }) => name),
      nodeCount: frozen.graph.nodes.length,
      functionCount: frozen.graph.functions.length,
      [Symbol.dispose]: () => checkpoint[Symbol.dispose](),
    };
  } catch (error) {
    checkpoint[Symbol.dispose]();
    throw error;
  }
}

function isPlaceholder({ op }: GraphNode): boolean {
  return op === "Placeholder" || op === "PlaceholderV2" || op === "PlaceholderWithDefault";
}

async function readMeta({ prefix, hasGraph }: FoundCheckpoint): Promise<MetaGraph> {
  const name = `${basename(prefix)}.meta`;
  if (!hasGraph)
    throw refuseGraph(
      `"${name}" is not there, so there is no graph to freeze`,
      "save with tf.train.Saver, which writes .meta, or export a SavedModel and use `slipway export saved-model`",
    );
  const path = `${prefix}.meta`;
  const { size } = await stat(path);
  if (size > MAX_GRAPH_BYTES) throw invalidFile(name, `it has ${size} bytes, more than a message may have`);
  const bytes = await readFile(path);
  const meta = parsing(name, () => parseMetaGraph(bytes));
  if (meta.graph.nodes.length === 0) throw invalidFile(name, "it has no graph");
  return meta;
}

function assertReadable({ size }: Rope): void {
  if (size > MAX_GRAPH_BYTES)
    throw refuseGraph(
      `the frozen graph would have ${size} bytes, and TensorFlow reads at most ${MAX_GRAPH_BYTES}`,
      "serve the checkpoint or a SavedModel instead of a frozen graph",
    );
}
