import { ProjectError } from "../../../ground/errors/index.ts";
import type { RandomReader } from "../../../ground/bytes/index.ts";
import { WireError, WireFile, type WireField } from "../../../ground/wire/index.ts";
import type { Signature } from "../../tensor/index.ts";
import { readValueInfo, type ValueInfo } from "./value-info.ts";

/** What an ONNX file says of itself. */
export interface OnnxFacts {
  readonly signature: Signature;
  /** Files that hold weights beside it, relative to its folder, each once, and the bytes each must have at least. */
  readonly external: ReadonlyMap<string, number>;
  readonly irVersion: number;
  /** Version of the default operator set. */
  readonly opset?: number;
  readonly producer?: string;
  readonly graphName?: string;
  readonly warnings: readonly string[];
}

interface Graph {
  readonly inputs: ValueInfo[];
  readonly outputs: ValueInfo[];
  readonly initializers: Set<string>;
  name?: string;
}

interface Reading {
  readonly file: WireFile;
  readonly external: Map<string, number>;
}

const MAX_DEPTH = 16;
const MAX_VALUES = 10_000;

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
  let opset: number | undefined;
  let producer: string | undefined;
  let graph: Graph | undefined;
  for (const field of file.fields()) {
    if (field.number === 1) irVersion = Number(file.int(field));
    if (field.number === 2) producer = file.text(field);
    if (field.number === 8) opset = readOpset(file, field) ?? opset;
    if (field.number === 7) graph = readGraph(reading, field, 0);
    if (field.number === 25) readFunction(reading, field);
  }
  const whole = checkModel(irVersion, graph);
  return {
    ...describe(whole),
    external: reading.external,
    irVersion,
    ...defined({ opset, producer, graphName: whole.name }),
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

function describe(graph: Graph): Pick<OnnxFacts, "signature" | "warnings"> {
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
  return { signature, warnings };
}

function readOpset(file: WireFile, field: WireField): number | undefined {
  let domain = "";
  let version: number | undefined;
  for (const part of file.inside(field)) {
    if (part.number === 1) domain = file.text(part);
    if (part.number === 2) version = Number(file.int(part));
  }
  return domain === "" || domain === "ai.onnx" ? version : undefined;
}

function readGraph(reading: Reading, field: WireField, depth: number): Graph {
  const { file } = reading;
  const graph: Graph = { inputs: [], outputs: [], initializers: new Set() };
  for (const part of file.inside(field)) {
    if (part.number === 1) readNode(reading, part, depth);
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
    if (part.number === 13) addEntry(reading.file, part, entries);
  }
  if (isExternal) addExternal(reading, entries, name);
  return name;
}

function addEntry(file: WireFile, field: WireField, entries: Map<string, string>): void {
  let key = "";
  let value = "";
  for (const part of file.inside(field)) {
    if (part.number === 1) key = file.text(part);
    if (part.number === 2) value = file.text(part);
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
  // Entries that are undefined are gone, so what is left has the types without undefined.
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
