import { posix } from "node:path";
import { openReader } from "../../../ground/bytes/index.ts";
import { WireError, WireFile } from "../../../ground/wire/index.ts";
import type { Candidate, KindRow, ModelFacts, ModelFile } from "../contracts.ts";
import { signatureOf } from "../files/datatype-names.ts";
import {
  filesBeside,
  folderOf,
  invalidModel,
  modelFileAt,
  pathIn,
  refuseImpostor,
} from "../files/model-file.ts";
import {
  asStated,
  inputsOf,
  neededInputs,
  readGraphFile,
  suggestedOutputs,
  type GraphFile,
} from "./graph-file.ts";
import { TENSORFLOW } from "./requirements.ts";
import { countVariables, readVariables } from "./variables.ts";

const INDEX = /\.index$/;
const V1_NAME = /\.ckpt(?:-\d+)?$/i;
const MAX_FIELDS = 20_000_000;
/** The last eight bytes of every SSTable. @see tensorflow, core/lib/io/table_options.h, kTableMagicNumber */
const TABLE_MAGIC = "57fb808b247547db";

/** A checkpoint of TensorFlow with its graph, in the tensor bundle format or the one before it; of several the newest by number. */
export const checkpoint: KindRow = {
  name: "tf-checkpoint",
  requirements: TENSORFLOW,
  recognise: (files) => Promise.resolve(recogniseCheckpoints(files)),
  describe: ({ modelPath = "" }, files) => Promise.resolve(describeCheckpoint(modelPath, files)),
};

/** One checkpoint of a folder. */
interface Saved {
  /** Relative, without endings. */
  readonly prefix: string;
  /** What the runtime is given: the index, or the file of the old format. */
  readonly path: string;
  readonly isV1: boolean;
  readonly step: number | undefined;
}

function recogniseCheckpoints(files: readonly ModelFile[]): readonly Candidate[] {
  const folders = new Set(files.map(({ path }) => folderOf(path)));
  return [...folders].flatMap((folder): readonly Candidate[] => {
    const saved = checkpointsIn(files, folder);
    const newest = saved.at(-1);
    if (newest === undefined) return [];
    const prefixes = saved.map(({ prefix }) => prefix);
    const parts = filesBeside(files, folder)
      .map(({ path }) => path)
      .filter((path) => prefixes.some((prefix) => isOf(path, prefix)));
    return [
      {
        kind: "tf-checkpoint",
        modelPath: newest.path,
        isCertain: false,
        label: `TensorFlow checkpoint "${newest.prefix === "" ? newest.path : newest.prefix}"`,
        parts: [...parts, pathIn(folder, "checkpoint")],
      },
    ];
  });
}

function isOf(path: string, prefix: string): boolean {
  return (
    path === prefix ||
    (path.startsWith(`${prefix}.`) && /\.(meta|index|data-\d{5}-of-\d{5})$/.test(path))
  );
}

/** By step, the newest last. An empty name is one too: its files are `.index`, `.meta` and `.data-…`. */
function checkpointsIn(files: readonly ModelFile[], folder: string): readonly Saved[] {
  const beside = filesBeside(files, folder);
  const paths = new Set(beside.map(({ path }) => path));
  const bundles = beside
    .filter(({ path }) => INDEX.test(path))
    .map(({ path }) => savedAt(path.replace(INDEX, ""), path, false));
  const taken = new Set(bundles.map(({ prefix }) => prefix));
  const old = beside
    .filter((file) => !taken.has(file.path) && isTable(file, paths))
    .map(({ path }) => savedAt(path, path, true));
  return [...bundles, ...old].toSorted(
    (a, b) => (a.step ?? -1) - (b.step ?? -1) || (a.prefix < b.prefix ? -1 : 1),
  );
}

function savedAt(prefix: string, path: string, isV1: boolean): Saved {
  const step = /-(\d{1,15})$/.exec(prefix)?.[1];
  return { prefix, path, isV1, step: step === undefined ? undefined : Number(step) };
}

/** A file of the old format: called like one, or with a graph beside it, and an SSTable by its end. */
function isTable(file: ModelFile, paths: ReadonlySet<string>): boolean {
  if (!V1_NAME.test(file.path) && !paths.has(`${file.path}.meta`)) return false;
  if (file.size < 48) return false;
  using reader = openReader(file.location, file.path);
  return Buffer.from(reader.at(reader.size - 8, 8)).toString("hex") === TABLE_MAGIC;
}

function describeCheckpoint(modelPath: string, files: readonly ModelFile[]): ModelFacts {
  const file = modelFileAt(files, modelPath);
  refuseImpostor(file, "a TensorFlow checkpoint");
  const isV1 = !INDEX.test(modelPath);
  const prefix = modelPath.replace(INDEX, "");
  const weights = isV1
    ? countVariables(file.location, modelPath, [file.location])
    : readVariables(file.location.replace(INDEX, ""), modelPath, files);
  const step = savedAt(prefix, modelPath, isV1).step;
  const details = {
    format: isV1 ? "V1" : "V2",
    variables: weights.variables,
    parameters: weights.parameters,
    newest: newestName(prefix, modelPath),
    ...(step !== undefined && { globalStep: step }),
    namesSample: weights.names.slice(0, 6),
    names: weights.names.slice(0, 1000),
  };
  const own = files.map(({ path }) => path).filter((path) => isOf(path, prefix));
  const meta = files.find(({ path }) => path === `${prefix}.meta`);
  if (meta === undefined)
    return {
      files: own,
      warnings: [],
      details,
      obstacle: {
        code: "MODEL_FILE_INVALID",
        why: `its graph is missing: there is no "${posix.basename(prefix)}.meta" beside it`,
        hint: "put the .meta file beside it, or write a class that builds the graph",
      },
    };
  return { ...graphFacts(meta, details), files: own };
}

/** The name of a checkpoint in its folder; the empty text for one without a name. */
function newestName(prefix: string, path: string): string {
  const folder = folderOf(path);
  return folder === "" ? prefix : prefix.slice(folder.length + 1);
}

function graphFacts(meta: ModelFile, details: ModelFacts["details"]): ModelFacts {
  refuseImpostor(meta, "the graph of a TensorFlow checkpoint");
  const { graph, tensorflowVersion, saverVersion } = readMeta(meta);
  const inputs = inputsOf(graph);
  const outputs = suggestedOutputs(graph);
  return {
    ...signatureOf(neededInputs(graph, inputs, outputs), []),
    inputs: asStated(inputs, graph),
    outputs: outputs.map((name) => ({ name, shape: null })),
    files: [],
    warnings: [],
    requirements: TENSORFLOW,
    details: {
      ...details,
      ...(tensorflowVersion !== "" && { tensorflowVersion }),
      saverVersion,
      nodes: graph.nodes.length,
      suggestedOutputs: outputs,
    },
  };
}

interface MetaFile {
  readonly graph: GraphFile;
  readonly tensorflowVersion: string;
  /** SaverDef's version: 1 or 2; 0 when it is not stated. */
  readonly saverVersion: number;
}

function readMeta(file: ModelFile): MetaFile {
  using reader = openReader(file.location, file.path);
  const wire = new WireFile(reader, { maxFields: MAX_FIELDS });
  let graph: GraphFile | undefined;
  let tensorflowVersion = "";
  let saverVersion = 0;
  try {
    for (const field of wire.fields()) {
      if (field.number === 1)
        for (const part of wire.inside(field))
          if (part.number === 5) tensorflowVersion = wire.text(part);
      if (field.number === 2) graph = readGraphFile(wire, field);
      if (field.number === 3)
        for (const part of wire.inside(field))
          if (part.number === 7) saverVersion = Number(wire.int(part));
    }
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw invalidModel(file.path, `it is not a graph of TensorFlow: ${cause.why}`, { cause });
  }
  if (graph === undefined)
    throw invalidModel(file.path, "it is not a MetaGraphDef: it has no graph");
  return { graph, tensorflowVersion, saverVersion };
}
