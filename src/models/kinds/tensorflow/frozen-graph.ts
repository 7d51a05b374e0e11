import { posix } from "node:path";
import { openReader } from "../../../ground/bytes/index.ts";
import { WireError, WireFile } from "../../../ground/wire/index.ts";
import type { Candidate, KindRow, ModelFacts, ModelFile } from "../contracts.ts";
import { signatureOf } from "../files/datatype-names.ts";
import { headOf, invalidModel, modelFileAt, refuseImpostor } from "../files/model-file.ts";
import {
  asStated,
  detectionOutputs,
  inputsOf,
  neededInputs,
  readGraphFile,
  sinksOf,
  variablesOf,
  type GraphFile,
} from "./graph-file.ts";
import { TENSORFLOW } from "./requirements.ts";

const MAX_FIELDS = 20_000_000;

/** A frozen graph of TensorFlow: a GraphDef whose variables are constants. */
export const frozenGraph: KindRow = {
  name: "tf-frozen-graph",
  requirements: TENSORFLOW,
  recognise: (files) =>
    Promise.resolve(
      files
        .filter(({ path }) => /\.pb$/i.test(path) && posix.basename(path) !== "saved_model.pb")
        .map((file): Candidate => ({
          kind: "tf-frozen-graph",
          modelPath: file.path,
          isCertain: false,
          label: `TensorFlow graph "${file.path}"`,
          ...(!looksLikeGraph(file) && { isDoubtful: true }),
        })),
    ),
  describe: ({ modelPath = "" }, files) =>
    Promise.resolve(describeGraph(modelFileAt(files, modelPath))),
};

/** A GraphDef begins with a node, whose first field is its name and whose second is its operation. */
function looksLikeGraph(file: ModelFile): boolean {
  const { content, bytes } = headOf(file);
  if (content === "empty" || bytes[0] !== 0x0a) return false;
  const at =
    (bytes[1] ?? 0) < 0x80 ? 2 : (bytes[2] ?? 0) < 0x80 ? 3 : (bytes[3] ?? 0) < 0x80 ? 4 : 5;
  const nameBytes = bytes[at + 1] ?? 0;
  return bytes[at] === 0x0a && nameBytes < 0x80 && bytes[at + 2 + nameBytes] === 0x12;
}

function describeGraph(file: ModelFile): ModelFacts {
  refuseImpostor(file, "a TensorFlow graph");
  const graph = openGraph(file);
  const inputs = inputsOf(graph);
  const sinks = sinksOf(graph);
  const variables = variablesOf(graph);
  const found = detectionOutputs(graph);
  const outputs = found.length > 0 ? found : sinks.map((name) => ({ name, shape: null }));
  return {
    ...signatureOf(
      neededInputs(
        graph,
        inputs,
        outputs.map(({ name }) => name),
      ),
      found,
    ),
    inputs: asStated(inputs, graph),
    outputs,
    files: [file.path],
    warnings: [],
    requirements: TENSORFLOW,
    details: {
      producer: graph.producer,
      nodes: graph.nodes.length,
      ...(graph.functions > 0 && { functions: graph.functions }),
      ...(found.length > 0 && { task: "detection" }),
      sinks,
      variables,
    },
    ...(variables.length > 0 && {
      obstacle: {
        code: "MODEL_FILE_INVALID",
        why: `it is a graph with ${variables.length} variables (${variables.slice(0, 10).join(", ")}) and without their values: it is not frozen`,
        hint: "freeze it with its checkpoint: slipway export",
      },
    }),
  };
}

function openGraph(file: ModelFile): GraphFile {
  using reader = openReader(file.location, file.path);
  const neither = (cause?: unknown): Error =>
    invalidModel(file.path, "it is neither a GraphDef nor a SavedModel of TensorFlow", {
      ...(cause !== undefined && { cause }),
    });
  try {
    const graph = readGraphFile(new WireFile(reader, { maxFields: MAX_FIELDS }));
    if (graph.nodes.length === 0 || graph.nodes.some(({ name, op }) => name === "" || op === ""))
      throw neither();
    return graph;
  } catch (cause) {
    if (cause instanceof WireError) throw neither(cause);
    throw cause;
  }
}
