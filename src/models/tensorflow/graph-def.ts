import { WireError, WireReader } from "../../ground/wire/index.ts";

/** An attribute as the file has it: the bytes of an AttrValue message. `attr-value.ts` reads and writes them. */
export type AttrBytes = Buffer;

/** A NodeDef. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** `name`, `name:slot` or `^name`; inside a function `argument` or `name:output:index`. */
  readonly inputs: readonly string[];
  readonly device: string;
  readonly attrs: ReadonlyMap<string, AttrBytes>;
}

/** An argument or result of an OpDef. Exactly one of the four ways to say its type is used. */
export interface OpArgument {
  readonly name: string;
  /** DataType's number; 0 when an attribute says it. */
  readonly type: number;
  readonly typeAttr: string;
  readonly numberAttr: string;
  readonly typeListAttr: string;
}

/** The part of an OpDef that names and types need. */
export interface OpSignature {
  readonly name: string;
  readonly inputs: readonly OpArgument[];
  readonly outputs: readonly OpArgument[];
  readonly isStateful: boolean;
  /** OpDef.attr as the file has it. */
  readonly attrs: readonly Buffer[];
}

/** A FunctionDef. */
export interface GraphFunction {
  readonly signature: OpSignature;
  readonly nodes: readonly GraphNode[];
  /** Which tensor of the body each result is. */
  readonly results: ReadonlyMap<string, string>;
  readonly attrs: ReadonlyMap<string, AttrBytes>;
}

/** A GraphDef. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly functions: readonly GraphFunction[];
  /** The VersionDef as the file has it: it decides what operations mean. */
  readonly versions: Buffer;
}

const MAX_NODES = 5_000_000;

/** Reads a GraphDef. @throws WireError for anything that is none. @see tensorflow, core/framework/graph.proto */
export function parseGraph(bytes: Buffer): Graph {
  const reader = new WireReader(bytes);
  const nodes: GraphNode[] = [];
  const functions: GraphFunction[] = [];
  let versions: Buffer = Buffer.alloc(0);
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 2)) nodes.push(parseNode(reader.bytes()));
    else if (tag === ((2 << 3) | 2)) functions.push(...parseLibrary(reader.bytes()));
    else if (tag === ((4 << 3) | 2)) versions = reader.bytes();
    else reader.skip(tag);
    if (nodes.length > MAX_NODES) throw new WireError(`it has more than ${MAX_NODES} nodes`);
  }
  return { nodes, functions, versions };
}

/** Reads a NodeDef. */
function parseNode(bytes: Buffer): GraphNode {
  const reader = new WireReader(bytes);
  let [name, op, device] = ["", "", ""];
  const inputs: string[] = [];
  const attrs = new Map<string, AttrBytes>();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 2)) name = reader.string();
    else if (tag === ((2 << 3) | 2)) op = reader.string();
    else if (tag === ((3 << 3) | 2)) inputs.push(reader.string());
    else if (tag === ((4 << 3) | 2)) device = reader.string();
    else if (tag === ((5 << 3) | 2)) addMapEntry(reader.bytes(), attrs);
    else reader.skip(tag);
  }
  return { name, op, inputs, device, attrs };
}

/** Adds a `map<string, message>` entry. */
export function addMapEntry(bytes: Buffer, map: Map<string, Buffer>): void {
  const reader = new WireReader(bytes);
  let key = "";
  let value: Buffer = Buffer.alloc(0);
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 2)) key = reader.string();
    else if (tag === ((2 << 3) | 2)) value = reader.bytes();
    else reader.skip(tag);
  }
  map.set(key, value);
}

function parseLibrary(bytes: Buffer): GraphFunction[] {
  const reader = new WireReader(bytes);
  const functions: GraphFunction[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    // Field 2 says which function is another's gradient; nothing that answers requests wants it.
    if (tag === ((1 << 3) | 2)) functions.push(parseFunction(reader.bytes()));
    else reader.skip(tag);
  }
  return functions;
}

function parseFunction(bytes: Buffer): GraphFunction {
  const reader = new WireReader(bytes);
  let signature: OpSignature | undefined;
  const nodes: GraphNode[] = [];
  const results = new Map<string, string>();
  const attrs = new Map<string, AttrBytes>();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 2)) signature = parseSignature(reader.bytes());
    else if (tag === ((3 << 3) | 2)) nodes.push(parseNode(reader.bytes()));
    else if (tag === ((4 << 3) | 2)) addTextEntry(reader.bytes(), results);
    else if (tag === ((5 << 3) | 2)) addMapEntry(reader.bytes(), attrs);
    else reader.skip(tag);
  }
  if (signature === undefined) throw new WireError("a function has no signature");
  return { signature, nodes, results, attrs };
}

function addTextEntry(bytes: Buffer, map: Map<string, string>): void {
  const reader = new WireReader(bytes);
  let [key, value] = ["", ""];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 2)) key = reader.string();
    else if (tag === ((2 << 3) | 2)) value = reader.string();
    else reader.skip(tag);
  }
  map.set(key, value);
}

/** Reads an OpDef. @see tensorflow, core/framework/op_def.proto */
export function parseSignature(bytes: Buffer): OpSignature {
  const reader = new WireReader(bytes);
  let name = "";
  let isStateful = false;
  const inputs: OpArgument[] = [];
  const outputs: OpArgument[] = [];
  const attrs: Buffer[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 2)) name = reader.string();
    else if (tag === ((2 << 3) | 2)) inputs.push(parseArgument(reader.bytes()));
    else if (tag === ((3 << 3) | 2)) outputs.push(parseArgument(reader.bytes()));
    else if (tag === ((4 << 3) | 2)) attrs.push(reader.bytes());
    else if (tag === ((17 << 3) | 0)) isStateful = reader.bool();
    else reader.skip(tag);
  }
  return { name, inputs, outputs, isStateful, attrs };
}

function parseArgument(bytes: Buffer): OpArgument {
  const reader = new WireReader(bytes);
  let [name, typeAttr, numberAttr, typeListAttr] = ["", "", "", ""];
  let type = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 2)) name = reader.string();
    else if (tag === ((3 << 3) | 0)) type = reader.int32();
    else if (tag === ((4 << 3) | 2)) typeAttr = reader.string();
    else if (tag === ((5 << 3) | 2)) numberAttr = reader.string();
    else if (tag === ((6 << 3) | 2)) typeListAttr = reader.string();
    else reader.skip(tag);
  }
  return { name, type, typeAttr, numberAttr, typeListAttr };
}
