import type { ProjectError } from "../../ground/errors/index.ts";
import {
  NODE_METHODS,
  NODE_TYPES,
  type GraphFile,
  type GraphNode,
  type NodeEndpoint,
  type NodeParameter,
} from "./graph-file.ts";
import type { JsonSchema } from "./json-schema.ts";
import { parseDocumentBy, type DocumentPath } from "./parse-document.ts";

const MAX_GRAPH_FILE_BYTES = 4_194_304;
/** Levels of a graph, and nodes in all. */
const MAX_LEVELS = 50;
const MAX_NODES = 500;

const SCHEMA: JsonSchema = {
  type: "object",
  required: ["kind", "metadata", "spec"],
  properties: {
    kind: { type: "string", enum: ["SeldonDeployment"] },
    metadata: {
      type: "object",
      required: ["name"],
      properties: {
        name: { type: "string", minLength: 1 },
        namespace: { type: "string" },
      },
    },
    spec: {
      type: "object",
      required: ["predictors"],
      properties: {
        annotations: { type: "object", additionalProperties: { type: "string" } },
        predictors: {
          type: "array",
          minItems: 1,
          items: {
            type: "object",
            required: ["graph"],
            properties: {
              name: { type: "string" },
              annotations: { type: "object", additionalProperties: { type: "string" } },
              graph: { type: "object" },
            },
          },
        },
      },
    },
  },
};

export type Fields = Readonly<Record<string, unknown>>;

/** A value of the document with its place. */
export interface Spot {
  readonly value: unknown;
  readonly path: DocumentPath;
}

/** What parsing a graph shares. */
export interface Reading {
  readonly refuse: (path: DocumentPath, why: string, hint?: string) => ProjectError;
  readonly containers: ReadonlyMap<string, Fields>;
  readonly names: Set<string>;
}

export interface GraphFileOptions {
  /** How the file is called in errors. */
  readonly file: string;
  /** Name of the predictor. Default: the only one there is. */
  readonly predictor?: string | undefined;
}

/**
 * Reads a SeldonDeployment: one predictor with its graph. Keys that a graph on one machine has no use for are passed over.
 * @throws ProjectError `PROJECT_INVALID` with file, line, column and key path
 */
export async function parseGraphFile(text: string, options: GraphFileOptions): Promise<GraphFile> {
  const { value, refuse } = await parseDocumentBy(text, {
    file: options.file,
    what: "the SeldonDeployment",
    maxBytes: MAX_GRAPH_FILE_BYTES,
    schema: SCHEMA,
  });
  const { metadata, spec } = value as { readonly metadata: Fields; readonly spec: Fields }; // the schema has checked them
  const predictors = spec["predictors"] as readonly Fields[];
  const index = predictorIndex(predictors, options.predictor, refuse);
  const predictor = predictors[index] ?? {};
  const path = ["spec", "predictors", index];
  const containers = containersIn(predictor["componentSpecs"]);
  const reading: Reading = { refuse, containers, names: new Set() };
  const root = readNode({ value: predictor["graph"], path: [...path, "graph"] }, reading, 1);
  const version = fieldsOf(predictor["labels"])["version"];
  return {
    deployment: String(metadata["name"]),
    namespace: typeof metadata["namespace"] === "string" ? metadata["namespace"] : "default",
    predictor: typeof predictor["name"] === "string" ? predictor["name"] : "",
    ...(typeof version === "string" && { version }),
    annotations: { ...textsIn(spec["annotations"]), ...textsIn(predictor["annotations"]) },
    env: environmentIn(fieldsOf(predictor["svcOrchSpec"])["env"]),
    root,
  };
}

function predictorIndex(
  predictors: readonly Fields[],
  wanted: string | undefined,
  refuse: Reading["refuse"],
): number {
  const names = predictors.map(({ name }) => (typeof name === "string" ? name : ""));
  const path = ["spec", "predictors"];
  const hint = `name one of them with --predictor: ${names.join(", ")}`;
  if (wanted !== undefined) {
    const found = names.indexOf(wanted);
    if (found < 0) throw refuse(path, `no predictor is called "${wanted}"`, hint);
    return found;
  }
  if (predictors.length > 1) throw refuse(path, "there is more than one predictor", hint);
  return 0;
}

/**
 * Reads a node with what hangs below it, in the form of a SeldonDeployment.
 * @param level - 1 for the root.
 * @throws ProjectError `PROJECT_INVALID` through `reading.refuse`
 */
export function readNode(spot: Spot, reading: Reading, level: number): GraphNode {
  const { refuse, containers } = reading;
  if (level > MAX_LEVELS) throw refuse(spot.path, `the graph is deeper than ${MAX_LEVELS} levels`);
  const node = objectAt(spot, reading);
  const field = (key: string): Spot => ({ value: node[key], path: [...spot.path, key] });
  const name = readName(field("name"), reading);
  const endpoint = endpointAt(field("endpoint"), reading);
  const container = containers.get(name) ?? {};
  const parameters = listAt(field("parameters"), reading);
  const children = listAt(field("children"), reading);
  return {
    name,
    ...readRole(field, reading),
    parameters: parameters.map((parameter) => parameterAt(parameter, reading)),
    ...(endpoint !== undefined && { endpoint }),
    children: children.map((child) => readNode(child, reading, level + 1)),
    ...(typeof container["image"] === "string" && { image: container["image"] }),
    env: environmentIn(container["env"]),
  };
}

function readName(spot: Spot, reading: Reading): string {
  const { refuse, names } = reading;
  const name = textAt(spot, reading) ?? "";
  if (name === "") throw refuse(spot.path.slice(0, -1), "the node has no name");
  if (names.has(name)) throw refuse(spot.path, `two nodes are called "${name}"`);
  names.add(name);
  if (names.size > MAX_NODES) throw refuse(spot.path, `the graph has more than ${MAX_NODES} nodes`);
  return name;
}

/** What a node is for; a MODEL where nothing is said. */
function readRole(
  field: (key: string) => Spot,
  reading: Reading,
): Pick<GraphNode, "type" | "implementation" | "methods"> {
  const implementation = textAt(field("implementation"), reading);
  const methods = listAt(field("methods"), reading).flatMap(
    (method) => wordAt(method, NODE_METHODS, reading) ?? [],
  );
  const isPlain = methods.length === 0 && implementation === undefined;
  const type = wordAt(field("type"), NODE_TYPES, reading) ?? (isPlain ? "MODEL" : undefined);
  return {
    ...(type !== undefined && { type }),
    ...(implementation !== undefined && { implementation }),
    methods,
  };
}

function parameterAt(spot: Spot, reading: Reading): NodeParameter {
  const { name, value, type } = objectAt(spot, reading);
  const text = (key: string, found: unknown): string => {
    const read = textAt({ value: found, path: [...spot.path, key] }, reading);
    if (read === undefined) throw reading.refuse(spot.path, `"${key}" is missing`);
    return read;
  };
  return {
    name: text("name", name),
    value: text("value", value),
    type: type === undefined ? "STRING" : text("type", type),
  };
}

function endpointAt(spot: Spot, reading: Reading): NodeEndpoint | undefined {
  if (spot.value === undefined || spot.value === null) return undefined;
  const endpoint = objectAt(spot, reading);
  const host = textAt(
    { value: endpoint["service_host"], path: [...spot.path, "service_host"] },
    reading,
  );
  if (host === undefined || host === "") return undefined; // the operator fills it in
  if (!/^[A-Za-z0-9._:-]+$/.test(host))
    throw reading.refuse([...spot.path, "service_host"], `"${host.slice(0, 80)}" is no host`);
  const portAt = (key: string): number => {
    const port = endpoint[key];
    if (typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65_535)
      return port;
    throw reading.refuse([...spot.path, key], "want a port, a whole number from 1 to 65535");
  };
  const { httpPort, grpcPort, type } = endpoint;
  if (httpPort === undefined && grpcPort === undefined)
    return { host, [type === "GRPC" ? "grpcPort" : "httpPort"]: portAt("service_port") };
  return {
    host,
    ...(httpPort !== undefined && { httpPort: portAt("httpPort") }),
    ...(grpcPort !== undefined && { grpcPort: portAt("grpcPort") }),
  };
}

function objectAt({ value, path }: Spot, { refuse }: Reading): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw refuse(path, "want keys and values");
  return value as Fields; // checked just now
}

/** The items of a list; none where there is none. */
function listAt({ value, path }: Spot, { refuse }: Reading): readonly Spot[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw refuse(path, "want a list");
  return value.map((item: unknown, index) => ({ value: item, path: [...path, index] }));
}

function textAt({ value, path }: Spot, { refuse }: Reading): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw refuse(path, "want a text", "write it in quotes");
  return value;
}

function wordAt<W extends string>(
  spot: Spot,
  words: readonly W[],
  reading: Reading,
): W | undefined {
  const text = textAt(spot, reading);
  const found = words.find((word) => word === text);
  if (text !== undefined && found === undefined)
    throw reading.refuse(spot.path, `got "${text.slice(0, 80)}", want one of ${words.join(", ")}`);
  return found;
}

/** Containers of all component specs, by name. */
function containersIn(specs: unknown): ReadonlyMap<string, Fields> {
  const containers = itemsIn(specs).flatMap((spec) =>
    itemsIn(fieldsOf(fieldsOf(spec)["spec"])["containers"]).map(fieldsOf),
  );
  return new Map(containers.map((container) => [String(container["name"]), container]));
}

/** Variables that have a value in the file; those from secrets and fields are the cluster's. */
function environmentIn(value: unknown): Readonly<Record<string, string>> {
  const pairs = itemsIn(value)
    .map(fieldsOf)
    .flatMap(({ name, value: text }) =>
      typeof name === "string" && typeof text === "string" ? [[name, text] as const] : [],
    );
  return Object.fromEntries(pairs);
}

function textsIn(value: unknown): Readonly<Record<string, string>> {
  const texts = Object.entries(fieldsOf(value)).filter(([, text]) => typeof text === "string");
  return Object.fromEntries(texts) as Readonly<Record<string, string>>; // filtered just now
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields) // checked just now
    : {};
}

function itemsIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
