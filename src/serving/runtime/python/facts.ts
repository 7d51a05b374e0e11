import type { ComponentFacts, ComponentMethod } from "../../plane/index.ts";
import { parseObject } from "./user-failure.ts";
import { METHODS } from "./wire.ts";

/** Reads a READY frame's JSON. Unknown entries are left out. */
export function parseFacts(text: string): ComponentFacts {
  const value = parseObject(text);
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
