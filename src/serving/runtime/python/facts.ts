import { readSignature } from "../read-signature.ts";
import type { ComponentFacts, ComponentMethod } from "../../plane/index.ts";
import type { Signature } from "../../../models/tensor/index.ts";
import { parseObject } from "./user-failure.ts";
import { METHODS } from "./wire.ts";

/** What a worker says of itself and of the model that it has loaded. */
export interface ReadyFacts {
  /** Version of the protocol; 0 when it says none. */
  readonly protocol: number;
  /** Calls that run inside it at the same time. */
  readonly threads: number;
  /** True for a class on named tensors, false for one with the methods of a graph. */
  readonly speaksTensors: boolean;
  /** True when one call may give several answers. */
  readonly streams: boolean;
  /** What user code asks for beside its inputs, such as `headers`. */
  readonly asks: readonly string[];
  readonly signature: Signature | undefined;
  /** Methods that may stand behind another in a run. */
  readonly follows: readonly ComponentMethod[];
  readonly graph: ComponentFacts;
}

/** What a worker process says when it is ready. */
export interface ProcessFacts extends ReadyFacts {
  /** Of its components from number 1 on; itself are those of number 0. */
  readonly others: readonly ReadyFacts[];
}

/** Reads a READY frame's JSON. Unknown entries are left out. */
export function parseReady(text: string): ProcessFacts {
  const value = parseObject(text);
  const { others } = value as Readonly<Record<"others", unknown>>; // checked below
  return { ...componentFacts(value), others: Array.isArray(others) ? others.map(otherFacts) : [] };
}

function otherFacts(value: unknown): ReadyFacts {
  return componentFacts(
    typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}, // checked: an object
  );
}

function componentFacts(value: Readonly<Record<string, unknown>>): ReadyFacts {
  const { protocol, threads } = value as Readonly<Record<"protocol" | "threads", unknown>>; // checked below
  return {
    protocol: typeof protocol === "number" ? protocol : 0,
    threads: typeof threads === "number" && threads > 1 ? Math.min(threads, MAX_THREADS) : 1,
    speaksTensors: value["speaksTensors"] === true,
    streams: value["streams"] === true,
    asks: textsOf(value["asks"]),
    signature: readSignature(value["signature"]),
    follows: methodsOf(value["follows"]),
    graph: graphFacts(value),
  };
}

const MAX_THREADS = 1024;

function graphFacts(value: Readonly<Record<string, unknown>>): ComponentFacts {
  const metadata = value["metadata"];
  const features = featuresOf(value["signature"]);
  return {
    methods: textsOf(value["methods"]),
    ...(typeof metadata === "string" && { metadata }),
    wantsWhole: { rest: methodsOf(value["rawRest"]), grpc: methodsOf(value["rawGrpc"]) },
    ...(features !== undefined && { features }),
  };
}

function methodsOf(value: unknown): readonly ComponentMethod[] {
  const names = new Set(textsOf(value).map((name) => name.replaceAll("_", "-")));
  return METHODS.filter((method) => names.has(method));
}

function featuresOf(value: unknown): ComponentFacts["features"] {
  if (typeof value !== "object" || value === null) return undefined;
  const { features, names } = value as Record<string, unknown>; // checked: an object
  return typeof features === "number" ? { count: features, names: textsOf(names) } : undefined;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
