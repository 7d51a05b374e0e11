import { posix } from "node:path";
import { openReader } from "../../../ground/bytes/index.ts";
import { WireError, WireFile, type WireField } from "../../../ground/wire/index.ts";
import type {
  Candidate,
  Detail,
  KindRow,
  ModelFacts,
  ModelFile,
  StatedTensor,
} from "../contracts.ts";
import { signatureOf } from "../files/datatype-names.ts";
import {
  filesUnder,
  folderOf,
  invalidModel,
  modelFileAt,
  pathIn,
  refuseImpostor,
} from "../files/model-file.ts";
import { readGraphFile, readShape, typeNamed, variablesOf } from "./graph-file.ts";
import { TENSORFLOW } from "./requirements.ts";
import { readVariables } from "./variables.ts";

const FILE = "saved_model.pb";
const MAX_FIELDS = 20_000_000;
const MAX_SIGNATURES = 1000;

/** A SavedModel folder of TensorFlow. */
export const savedModel: KindRow = {
  name: "tf-savedmodel",
  requirements: TENSORFLOW,
  recognise: (files) =>
    Promise.resolve(
      files
        .filter(({ path }) => posix.basename(path) === FILE)
        .map(({ path }): Candidate => {
          const folder = folderOf(path);
          return {
            kind: "tf-savedmodel",
            modelPath: folder === "" ? "." : folder,
            isCertain: false,
            label: `SavedModel "${folder === "" ? "." : folder}"`,
            parts: [
              path,
              ...["variables", "assets", "assets.extra"].map((name) => pathIn(folder, name)),
              ...kerasFiles(folder),
            ],
          };
        }),
    ),
  describe: ({ modelPath = "" }, files) =>
    Promise.resolve(describeSavedModel(modelPath === "." ? "" : modelPath, files)),
};

function kerasFiles(folder: string): readonly string[] {
  return ["keras_metadata.pb", "fingerprint.pb"].map((name) => pathIn(folder, name));
}

/** A MetaGraphDef, as far as it is described. */
interface MetaGraphFacts {
  readonly tags: readonly string[];
  readonly tensorflowVersion: string;
  readonly signatures: ReadonlyMap<string, SavedSignature>;
  readonly variables: readonly string[];
}

interface SavedSignature {
  readonly method: string;
  readonly inputs: readonly StatedTensor[];
  readonly outputs: readonly StatedTensor[];
}

function describeSavedModel(folder: string, files: readonly ModelFile[]): ModelFacts {
  const file = modelFileAt(files, pathIn(folder, FILE));
  refuseImpostor(file, "a SavedModel");
  const graphs = readMetaGraphs(file);
  const [first] = graphs;
  if (first === undefined) throw invalidModel(file.path, "it is not a SavedModel: it has no graph");
  const under = filesUnder(files, folder);
  const index = under.find(({ path }) => path === pathIn(folder, "variables/variables.index"));
  if (index === undefined && first.variables.length > 0)
    throw invalidModel(
      file.path,
      `its variables are missing: there is no "variables/variables.index", and the graph has ${first.variables.length} variables`,
      { hint: "copy the whole folder, with variables/ in it" },
    );
  const weights =
    index === undefined
      ? { variables: 0, parameters: 0 }
      : readVariables(index.location.slice(0, -".index".length), index.path, under);
  const signature = chosenSignature(first);
  return {
    ...(signature !== undefined && {
      ...signatureOf(signature.inputs, signature.outputs),
      inputs: signature.inputs,
      outputs: signature.outputs,
    }),
    files: [file.path, ...under.map(({ path }) => path).filter((path) => isPart(folder, path))],
    warnings:
      signature === undefined ? [`"${file.path}" has no signatures: its inputs are not known`] : [],
    requirements: TENSORFLOW,
    details: {
      metaGraphs: graphs.map(metaGraphDetail),
      variables: weights.variables,
      parameters: weights.parameters,
    },
  };
}

function isPart(folder: string, path: string): boolean {
  const inside = folder === "" ? path : path.slice(folder.length + 1);
  return /^(variables|assets|assets\.extra)\/|^(keras_metadata|fingerprint)\.pb$/.test(inside);
}

/** `serving_default`, else the only one, else the first by name. */
function chosenSignature({ signatures }: MetaGraphFacts): SavedSignature | undefined {
  const names = [...signatures.keys()].toSorted();
  return signatures.get("serving_default") ?? signatures.get(names[0] ?? "");
}

function metaGraphDetail({ tags, tensorflowVersion, signatures }: MetaGraphFacts): Detail {
  const tensors = (list: readonly StatedTensor[]): Detail =>
    Object.fromEntries(
      list.map(({ name, tensor = "", datatype = null, shape }) => [
        name,
        { tensor, datatype, shape },
      ]),
    );
  return {
    tags,
    tensorflowVersion,
    signatures: Object.fromEntries(
      [...signatures].map(([name, { method, inputs, outputs }]) => [
        name,
        { method, inputs: tensors(inputs), outputs: tensors(outputs) },
      ]),
    ),
  };
}

function readMetaGraphs(file: ModelFile): readonly MetaGraphFacts[] {
  using reader = openReader(file.location, file.path);
  const wire = new WireFile(reader, { maxFields: MAX_FIELDS });
  try {
    const graphs: MetaGraphFacts[] = [];
    for (const field of wire.fields())
      if (field.number === 2) graphs.push(readMetaGraph(wire, field));
    return graphs;
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw invalidModel(file.path, `it is not a SavedModel: ${cause.why}`, { cause });
  }
}

/** @see tensorflow, core/protobuf/meta_graph.proto */
function readMetaGraph(wire: WireFile, field: WireField): MetaGraphFacts {
  const tags: string[] = [];
  let tensorflowVersion = "";
  let variables: readonly string[] = [];
  const signatures = new Map<string, SavedSignature>();
  for (const part of wire.inside(field)) {
    if (part.number === 1)
      for (const inside of wire.inside(part)) {
        if (inside.number === 4) tags.push(wire.text(inside));
        if (inside.number === 5) tensorflowVersion = wire.text(inside);
      }
    if (part.number === 2) variables = variablesOf(readGraphFile(wire, part));
    if (part.number === 5 && signatures.size < MAX_SIGNATURES) {
      const [name, value] = readEntry(wire, part);
      if (value !== undefined && !name.startsWith("__saved_model"))
        signatures.set(name, readSignature(wire, value));
    }
  }
  return { tags, tensorflowVersion, signatures, variables };
}

/** Key and value of an entry of a map. */
function readEntry(wire: WireFile, field: WireField): [string, WireField | undefined] {
  let key = "";
  let value: WireField | undefined;
  for (const part of wire.inside(field)) {
    if (part.number === 1) key = wire.text(part);
    if (part.number === 2) value = part;
  }
  return [key, value];
}

function readSignature(wire: WireFile, field: WireField): SavedSignature {
  const inputs: StatedTensor[] = [];
  const outputs: StatedTensor[] = [];
  let method = "";
  for (const part of wire.inside(field)) {
    if (part.number === 3) method = wire.text(part);
    if (part.number !== 1 && part.number !== 2) continue;
    const [name, value] = readEntry(wire, part);
    if (value !== undefined)
      (part.number === 1 ? inputs : outputs).push(readTensor(wire, name, value));
  }
  const byName = (a: StatedTensor, b: StatedTensor): number => (a.name < b.name ? -1 : 1);
  return { method, inputs: inputs.toSorted(byName), outputs: outputs.toSorted(byName) };
}

/** A TensorInfo. */
function readTensor(wire: WireFile, name: string, field: WireField): StatedTensor {
  let tensor = "";
  let datatype: string | undefined;
  let shape: readonly number[] | null = null;
  for (const part of wire.inside(field)) {
    if (part.number === 1) tensor = wire.text(part);
    if (part.number === 2) datatype = typeNamed(Number(wire.int(part)));
    if (part.number === 3) shape = readShape(wire, part);
  }
  return { name, tensor, ...(datatype !== undefined && { datatype }), shape };
}
