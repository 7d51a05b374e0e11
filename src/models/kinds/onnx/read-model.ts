import { ProjectError } from "../../../ground/errors/index.ts";
import type { RandomReader } from "../../../ground/bytes/index.ts";
import { WireError, WireFile, type WireField } from "../../../ground/wire/index.ts";
import type { Signature } from "../../tensor/index.ts";
import type { StatedTensor } from "../contracts.ts";
import { readValueInfo, type ValueInfo } from "./value-info.ts";

/** What an ONNX file says of itself. */
export interface OnnxFacts {
  readonly signature: Signature;
  /** As the file states them, also those that no request can carry. */
  readonly inputs: readonly StatedTensor[];
  readonly outputs: readonly StatedTensor[];
  /** Files that hold weights beside it, relative to its folder, each once, and the bytes each must have at least. */
  readonly external: ReadonlyMap<string, number>;
  readonly irVersion: number;
  /** Version of the default operator set. */
  readonly opset?: number;
  /** Versions of all operator sets, by domain; the default one is `ai.onnx`. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer?: string;
  readonly producerVersion?: string;
  /** Nodes and initializers of the main graph. */
  readonly nodes: number;
  readonly initializers: number;
  /** Key and value pairs that the exporter added. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly graphName?: string;
  readonly warnings: readonly string[];
}

interface Graph {
  readonly inputs: ValueInfo[];
  readonly outputs: ValueInfo[];
  readonly initializers: Set<string>;
  nodes: number;
  name?: string;
}

interface Reading {
  readonly file: WireFile;
  readonly external: Map<string, number>;
}

const MAX_DEPTH = 16;
const MAX_VALUES = 10_000;
const MAX_METADATA = 1000;
const MAX_METADATA_BYTES = 2 ** 20;

/**
 * Reads signature and external files of an ONNX model from the protobuf itself. Weights are skipped by seeking: a model of gigabytes
 * costs as many small reads as it has tensors and nodes.
 * @param name - how the file is called in errors.
 * @throws ProjectError `MODEL_FILE_INVALID`. @see onnx/onnx.proto
 */
export function readOnnx(reader: RandomReader, name: string): OnnxFacts {
  try {
    return readModel({ file: new WireFile(reader), external: new Map() });
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new ProjectError(
      "MODEL_FILE_INVALID",
      `read "${name}": it is not an ONNX model: ${error.why}`,
      { file: name, cause: error },
    );
  }
}

function readModel(reading: Reading): OnnxFacts {
  const { file } = reading;
  let irVersion = 0;
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  let producer: string | undefined;
  let producerVersion: string | undefined;
  let graph: Graph | undefined;
  for (const field of file.fields()) {
    if (field.number === 1) irVersion = Number(file.int(field));
    if (field.number === 2) producer = file.text(field);
    if (field.number === 3) producerVersion = file.text(field);
    if (field.number === 8) readOpset(file, field, opsets);
    if (field.number === 14 && metadata.size < MAX_METADATA)
      addEntry(file, { field, entries: metadata, maxBytes: MAX_METADATA_BYTES });
    if (field.number === 7) graph = readGraph(reading, field, 0);
    if (field.number === 25) readFunction(reading, field);
  }
  const whole = checkModel(irVersion, graph);
  return {
    ...valuesOf(whole),
    external: reading.external,
    irVersion,
    opsets: Object.fromEntries(opsets),
    nodes: whole.nodes,
    initializers: whole.initializers.size,
    metadata: Object.fromEntries(metadata),
    ...defined({
      opset: opsets.get("ai.onnx"),
      producer,
      producerVersion,
      graphName: whole.name,
    }),
  };
}

function checkModel(irVersion: number, graph: Graph | undefined): Graph {
  if (irVersion < 1 || irVersion > 1000)
    throw new WireError(
      irVersion === 0 ? "it has no IR version" : `its IR version is ${irVersion}`,
    );
  if (graph === undefined) throw new WireError("it has no graph");
  if (graph.outputs.length === 0) throw new WireError("its graph has no outputs");
  return graph;
}

function valuesOf(graph: Graph): Pick<OnnxFacts, "signature" | "inputs" | "outputs" | "warnings"> {
  const warnings: string[] = [];
  // Before IR version 4 every initializer is an input too; a caller need not give those.
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  const specs = (values: readonly ValueInfo[], what: string) =>
    values.flatMap(({ name, spec, obstacle, isShapeUnknown }) => {
      if (spec === undefined) {
        const hint =
          what === "output" && obstacle === "a sequence"
            ? '; export with options={"zipmap": False} to get a tensor'
            : "";
        warnings.push(
          `${what} "${name}" is ${obstacle ?? "no tensor"}, which requests cannot carry${hint}`,
        );
        return [];
      }
      if (isShapeUnknown)
        warnings.push(
          `${what} "${name}" has no shape in the file, so requests are not checked against it`,
        );
      return [spec];
    });
  const signature = { inputs: specs(inputs, "input"), outputs: specs(graph.outputs, "output") };
  if (signature.outputs.length === 0) throw new WireError("none of its outputs is a tensor");
  return {
    signature,
    inputs: inputs.map(statedTensor),
    outputs: graph.outputs.map(statedTensor),
    warnings,
  };
}

function statedTensor({ name, spec, obstacle, isShapeUnknown, axes }: ValueInfo): StatedTensor {
  return {
    name,
    datatype: spec?.datatype ?? obstacle ?? "unknown",
    shape: spec === undefined || isShapeUnknown ? null : spec.shape,
    ...(axes?.some((axis) => axis !== null) === true && { axes }),
  };
}

function readOpset(file: WireFile, field: WireField, opsets: Map<string, number>): void {
  let domain = "";
  let version: number | undefined;
  for (const part of file.inside(field)) {
    if (part.number === 1) domain = file.text(part);
    if (part.number === 2) version = Number(file.int(part));
  }
  if (version !== undefined) opsets.set(domain === "" ? "ai.onnx" : domain, version);
}

function readGraph(reading: Reading, field: WireField, depth: number): Graph {
  const { file } = reading;
  const graph: Graph = { inputs: [], outputs: [], initializers: new Set(), nodes: 0 };
  for (const part of file.inside(field)) {
    if (part.number === 1) {
      graph.nodes += 1;
      readNode(reading, part, depth);
    }
    if (part.number === 2) graph.name = file.text(part, 65_536);
    if (part.number === 5) addInitializer(graph, readTensor(reading, part), depth);
    if (part.number === 15) readSparse(reading, part, graph);
    if (part.number === 11 && depth === 0) addValue(graph.inputs, readValueInfo(file, part));
    if (part.number === 12 && depth === 0) addValue(graph.outputs, readValueInfo(file, part));
  }
  return graph;
}

function addInitializer(graph: Graph, name: string, depth: number): void {
  if (depth === 0) graph.initializers.add(name);
}

function addValue(values: ValueInfo[], value: ValueInfo): void {
  if (values.length === MAX_VALUES)
    throw new WireError(`it has more than ${MAX_VALUES} inputs or outputs`);
  values.push(value);
}

function readFunction(reading: Reading, field: WireField): void {
  for (const part of reading.file.inside(field)) if (part.number === 7) readNode(reading, part, 1);
}

/** Tensors and graphs in a node's attributes may lie in external files, too. */
function readNode(reading: Reading, field: WireField, depth: number): void {
  if (depth > MAX_DEPTH) throw new WireError(`graphs are nested more than ${MAX_DEPTH} deep`);
  for (const part of reading.file.inside(field)) {
    if (part.number !== 5) continue;
    for (const attribute of reading.file.inside(part)) {
      if (attribute.number === 5 || attribute.number === 10) readTensor(reading, attribute);
      if (attribute.number === 6 || attribute.number === 11)
        readGraph(reading, attribute, depth + 1);
    }
  }
}

function readSparse(reading: Reading, field: WireField, graph: Graph): void {
  for (const part of reading.file.inside(field))
    if (part.number === 1 || part.number === 2) addInitializer(graph, readTensor(reading, part), 0);
}

/** Gives a TensorProto's name and notes its external file. */
function readTensor(reading: Reading, field: WireField): string {
  let name = "";
  let isExternal = false;
  const entries = new Map<string, string>();
  for (const part of reading.file.inside(field)) {
    if (part.number === 8) name = reading.file.text(part, 65_536);
    if (part.number === 14) isExternal = reading.file.int(part) === 1n;
    if (part.number === 13) addEntry(reading.file, { field: part, entries });
  }
  if (isExternal) addExternal(reading, entries, name);
  return name;
}

interface EntryPlace {
  readonly field: WireField;
  readonly entries: Map<string, string>;
  /** Longest value. Default 4096. */
  readonly maxBytes?: number;
}

function addEntry(file: WireFile, { field, entries, maxBytes }: EntryPlace): void {
  let key = "";
  let value = "";
  for (const part of file.inside(field)) {
    if (part.number === 1) key = file.text(part);
    if (part.number === 2) value = file.text(part, maxBytes);
  }
  entries.set(key, value);
}

function addExternal(
  { external }: Reading,
  entries: ReadonlyMap<string, string>,
  tensor: string,
): void {
  const location = entries.get("location") ?? "";
  const parts = location
    .replaceAll("\\", "/")
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  if (
    location === "" ||
    location.startsWith("/") ||
    parts.includes("..") ||
    /^[A-Za-z]:/.test(location)
  ) {
    throw new WireError(
      `tensor "${tensor}" lies in "${location}", which is no path inside the model's folder`,
    );
  }
  const path = parts.join("/");
  const needed = countOf(entries.get("offset")) + countOf(entries.get("length"));
  external.set(path, Math.max(external.get(path) ?? 0, needed));
}

function countOf(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count))
    throw new WireError(`an external tensor has offset or length "${text}"`);
  return count;
}

function defined<T extends Record<string, unknown>>(
  values: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // The entries that are undefined are removed, so the type of the rest is right.
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
