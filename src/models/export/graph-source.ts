import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { noFile } from "../../ground/process/index.ts";
import {
  findCheckpoints,
  invalidFile,
  openCheckpoint,
  parseMetaGraph,
  parseSavedModel,
  parsing,
  type Checkpoint,
  type FoundCheckpoint,
  type MetaGraph,
} from "../tensorflow/index.ts";
import { nameSome, refuseGraph, refuseWords } from "./refusal.ts";

/** A graph with the values of its variables. */
export interface GraphSource extends Disposable {
  readonly meta: MetaGraph;
  readonly checkpoint: Checkpoint;
  /** The Object Detection API's `pipeline.config` that belongs to a training graph, where there is one. */
  readonly pipeline?: { readonly name: string; readonly text: string } | undefined;
}

/** A protobuf message has at most this many bytes, and TensorFlow reads no longer one. */
export const MAX_MESSAGE_BYTES: number = 2 ** 31 - 1;

/**
 * Opens a checkpoint with the graph beside it.
 * @param pipelinePath - `pipeline.config`; default the one beside the checkpoint, where there is one
 * @throws ProjectError `MODEL_FILE_INVALID` naming a file, ToolError `UNSUPPORTED` when there is no graph.
 */
export async function openTrainingGraph(
  found: FoundCheckpoint,
  pipelinePath?: string,
): Promise<GraphSource> {
  const { prefix, hasGraph } = found;
  const name = `${basename(prefix)}.meta`;
  if (!hasGraph)
    throw refuseGraph(
      `"${name}" is not there, so there is no graph to freeze`,
      "save with tf.train.Saver, which writes .meta, or export a SavedModel and use `slipway export saved-model`",
    );
  const bytes = await readMessage(`${prefix}.meta`, name);
  const meta = parsing(name, () => parseMetaGraph(bytes));
  if (meta.graph.nodes.length === 0) throw invalidFile(name, "it has no graph");
  const pipeline = await readPipeline(prefix, pipelinePath);
  return { ...withCheckpoint(meta, openCheckpoint(found)), pipeline };
}

const MAX_PIPELINE_BYTES = 1 << 20;

async function readPipeline(
  prefix: string,
  wanted: string | undefined,
): Promise<GraphSource["pipeline"]> {
  const path = wanted ?? join(dirname(prefix), "pipeline.config");
  const name = basename(path);
  const facts = await stat(path).catch(noFile);
  if (facts?.isFile() !== true) {
    if (wanted === undefined) return undefined;
    throw invalidFile(path, "it is not there, or is no file");
  }
  if (facts.size > MAX_PIPELINE_BYTES) throw invalidFile(name, `it has ${facts.size} bytes`);
  return { name, text: await readFile(path, "utf8") };
}

/**
 * Opens a SavedModel: the graph with these tags (default `serve`, else the only one) and its variables, where it has any.
 * @throws ProjectError `MODEL_FILE_INVALID`, ToolError `USAGE` naming the tags that there are.
 */
export async function openSavedModel(
  folder: string,
  wanted: readonly string[] | undefined,
): Promise<GraphSource> {
  const bytes = await readMessage(join(folder, "saved_model.pb"), "saved_model.pb");
  const metas = parsing("saved_model.pb", () => parseSavedModel(bytes));
  const tagged = metas.filter(({ tags }) =>
    wanted === undefined ? tags.includes("serve") : wanted.every((tag) => tags.includes(tag)),
  );
  const [meta, another] =
    tagged.length === 0 && wanted === undefined && metas.length === 1 ? metas : tagged;
  if (meta === undefined || another !== undefined)
    throw refuseWords(
      `choose a graph of "${folder}"`,
      `its graphs have the tags ${nameSome(metas.map(({ tags }) => tags.join(",")))}`,
      "choose one with --tags serve",
    );
  // A graph without variables has no such folder; where one is missing, its name is told below.
  const variables = await findCheckpoints(join(folder, "variables")).catch(() => []);
  const found = variables.find(({ prefix }) => basename(prefix) === "variables");
  const none: Checkpoint = {
    name: "variables",
    tensors: new Map(),
    [Symbol.dispose]: () => undefined,
  };
  return withCheckpoint(meta, found === undefined ? none : openCheckpoint(found));
}

function withCheckpoint(meta: MetaGraph, checkpoint: Checkpoint): GraphSource {
  return { meta, checkpoint, [Symbol.dispose]: () => checkpoint[Symbol.dispose]() };
}

async function readMessage(path: string, name: string): Promise<Buffer> {
  const facts = await stat(path).catch((error: unknown) => {
    throw invalidFile(name, "it is not there, or cannot be read", error);
  });
  if (!facts.isFile()) throw invalidFile(name, "it is not a file");
  if (facts.size > MAX_MESSAGE_BYTES)
    throw invalidFile(name, `it has ${facts.size} bytes, more than a message may have`);
  return await readFile(path);
}
