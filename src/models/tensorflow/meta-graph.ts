import { WireReader } from "../../ground/wire/index.ts";
import {
  addMapEntry,
  parseGraph,
  parseSignature,
  type Graph,
  type OpSignature,
} from "./graph-def.ts";
import { parseShape } from "./tensor-protos.ts";
import { parseVariableSlices, type VariableSlice } from "./variable-slices.ts";

/** Names that say how a graph saves and restores its variables. @see tensorflow, core/protobuf/saver.proto */
interface SaverNames {
  /** The operation that restores everything, such as `save/restore_all`. */
  readonly restoreOp: string;
}

/** One input or output of a signature. */
interface SignatureTensor {
  /** `name:slot`; empty for tensors that are no single one (sparse, composite). */
  readonly tensor: string;
  readonly dtype: number;
  /** -1 for unknown sizes; `undefined` for an unknown rank. */
  readonly shape: readonly number[] | undefined;
}

/** A SignatureDef. */
export interface GraphSignature {
  readonly inputs: ReadonlyMap<string, SignatureTensor>;
  readonly outputs: ReadonlyMap<string, SignatureTensor>;
  readonly method: string;
}

/** A MetaGraphDef: what `.meta` files and SavedModels hold. */
export interface MetaGraph {
  readonly graph: Graph;
  readonly tags: readonly string[];
  /** Version of TensorFlow that wrote it, such as `1.15.5`; may be empty. */
  readonly writtenBy: string;
  /** Signatures of the operations that the graph uses, as far as they were written down. */
  readonly ops: ReadonlyMap<string, OpSignature>;
  readonly saver: SaverNames | undefined;
  readonly signatures: ReadonlyMap<string, GraphSignature>;
  /** Parts of partitioned variables, by the name of their nodes. */
  readonly slices: ReadonlyMap<string, VariableSlice>;
}

/** Reads a MetaGraphDef. @throws WireError for anything that is none. @see tensorflow, core/protobuf/meta_graph.proto */
export function parseMetaGraph(bytes: Buffer): MetaGraph {
  const reader = new WireReader(bytes);
  let graph: Graph = { nodes: [], functions: [], versions: Buffer.alloc(0) };
  let info: MetaInfo = { tags: [], writtenBy: "", ops: new Map() };
  let saver: SaverNames | undefined;
  const collections = new Map<string, Buffer>();
  const signatures = new Map<string, Buffer>();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 2)) info = parseInfo(reader.bytes());
    else if (tag === ((2 << 3) | 2)) graph = parseGraph(reader.bytes());
    else if (tag === ((3 << 3) | 2)) saver = parseSaver(reader.bytes());
    else if (tag === ((5 << 3) | 2)) addMapEntry(reader.bytes(), signatures);
    else if (tag === ((4 << 3) | 2)) addMapEntry(reader.bytes(), collections);
    else reader.skip(tag);
  }
  const variables = collections.get("variables");
  const slices = variables === undefined ? new Map() : parseVariableSlices(variables);
  const parsed = [...signatures].map(
    ([name, value]) => [name, parseGraphSignature(value)] as const,
  );
  return { graph, ...info, saver, signatures: new Map(parsed), slices };
}

/** Reads a SavedModel: the graphs of `saved_model.pb`. @see tensorflow, core/protobuf/saved_model.proto */
export function parseSavedModel(bytes: Buffer): readonly MetaGraph[] {
  const reader = new WireReader(bytes);
  const graphs: MetaGraph[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((2 << 3) | 2)) graphs.push(parseMetaGraph(reader.bytes()));
    else reader.skip(tag);
  }
  return graphs;
}

interface MetaInfo {
  readonly tags: readonly string[];
  readonly writtenBy: string;
  readonly ops: ReadonlyMap<string, OpSignature>;
}

function parseInfo(bytes: Buffer): MetaInfo {
  const reader = new WireReader(bytes);
  const tags: string[] = [];
  let writtenBy = "";
  let ops: ReadonlyMap<string, OpSignature> = new Map();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((2 << 3) | 2)) ops = parseOps(reader.bytes());
    else if (tag === ((4 << 3) | 2)) tags.push(reader.string());
    else if (tag === ((5 << 3) | 2)) writtenBy = reader.string();
    else reader.skip(tag);
  }
  return { tags, writtenBy, ops };
}

function parseOps(bytes: Buffer): ReadonlyMap<string, OpSignature> {
  const reader = new WireReader(bytes);
  const ops = new Map<string, OpSignature>();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag !== ((1 << 3) | 2)) {
      reader.skip(tag);
      continue;
    }
    const op = parseSignature(reader.bytes());
    ops.set(op.name, op);
  }
  return ops;
}

function parseSaver(bytes: Buffer): SaverNames | undefined {
  const reader = new WireReader(bytes);
  let restoreOp = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((3 << 3) | 2)) restoreOp = reader.string();
    else reader.skip(tag);
  }
  return restoreOp === "" ? undefined : { restoreOp };
}

function parseGraphSignature(bytes: Buffer): GraphSignature {
  const reader = new WireReader(bytes);
  const inputs = new Map<string, Buffer>();
  const outputs = new Map<string, Buffer>();
  let method = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 2)) addMapEntry(reader.bytes(), inputs);
    else if (tag === ((2 << 3) | 2)) addMapEntry(reader.bytes(), outputs);
    else if (tag === ((3 << 3) | 2)) method = reader.string();
    else reader.skip(tag);
  }
  return { inputs: tensorsOf(inputs), outputs: tensorsOf(outputs), method };
}

function tensorsOf(map: ReadonlyMap<string, Buffer>): ReadonlyMap<string, SignatureTensor> {
  return new Map([...map].map(([key, value]) => [key, parseTensorInfo(value)]));
}

function parseTensorInfo(bytes: Buffer): SignatureTensor {
  const reader = new WireReader(bytes);
  let [tensor, dtype] = ["", 0];
  let shape: readonly number[] | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 2)) tensor = reader.string();
    else if (tag === ((2 << 3) | 0)) dtype = reader.int32();
    else if (tag === ((3 << 3) | 2)) shape = parseShape(reader.bytes());
    else reader.skip(tag);
  }
  return { tensor, dtype, shape };
}
