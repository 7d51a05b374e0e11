import { nearestName } from "./nearest.ts";
import { readNode, type Fields, type Reading, type Spot } from "./parse-graph-file.ts";
import type { NodeSource, ProjectGraph } from "./project-file.ts";

/** A node's keys: those of a SeldonDeployment, and where its code comes from. */
const KEYS = [
  "name",
  "type",
  "implementation",
  "methods",
  "parameters",
  "endpoint",
  "children",
  "code",
  "image",
  "env",
] as const;

const MAX_LEVELS = 50;
/** A type of ours; in graphs of Seldon's it is a TRANSFORMER. */
const DETECTOR = "OUTLIER_DETECTOR";

/** What is collected on the way down. */
interface Collected {
  readonly refuse: Reading["refuse"];
  readonly sources: Map<string, NodeSource>;
  /** What a SeldonDeployment says in a container of the node's name. */
  readonly containers: Map<string, Fields>;
}

/**
 * Reads `graph:` of a project file: nodes as in a SeldonDeployment, each with `code`, `image` and `env` of its own.
 * @throws ProjectError `PROJECT_INVALID` through `refuse`
 */
export function parseProjectGraph(spot: Spot, refuse: Reading["refuse"]): ProjectGraph {
  const collected: Collected = { refuse, sources: new Map(), containers: new Map() };
  const value = plainNode(spot, collected, 1);
  const { containers, sources } = collected;
  return {
    root: readNode({ ...spot, value }, { refuse, containers, names: new Set() }, 1),
    sources,
  };
}

/** The node as a SeldonDeployment has it; the rest is collected. */
function plainNode({ value, path }: Spot, collected: Collected, level: number): unknown {
  const { refuse } = collected;
  if (level > MAX_LEVELS) throw refuse(path, `the graph is deeper than ${MAX_LEVELS} levels`);
  if (!isFields(value)) return value; // refused where nodes are read
  checkKeys({ value, path }, value, refuse);
  collect({ value, path }, value, collected);
  const { code: _, image: __, env: ___, type, children, ...rest } = value;
  return {
    ...rest,
    // A definition of Seldon's has no type for it: a detector is asked as a transformer is.
    ...(type === undefined ? {} : { type: type === DETECTOR ? "TRANSFORMER" : type }),
    ...(children === undefined
      ? {}
      : {
          children: Array.isArray(children)
            ? children.map((child: unknown, index) =>
                plainNode(
                  { value: child, path: [...path, "children", index] },
                  collected,
                  level + 1,
                ),
              )
            : children,
        }),
  };
}

function checkKeys({ path }: Spot, node: Fields, refuse: Reading["refuse"]): void {
  const stray = Object.keys(node).find((key) => !KEYS.some((known) => known === key));
  if (stray === undefined) return;
  const near = nearestName(stray, KEYS);
  throw refuse(
    [...path, stray],
    "there is no such key of a node",
    near === undefined ? `its keys are ${KEYS.join(", ")}` : `did you mean "${near}"?`,
  );
}

/** Keeps what a SeldonDeployment says elsewhere. */
function collect({ path }: Spot, node: Fields, { refuse, sources, containers }: Collected): void {
  const { name, code, image, env, type } = node;
  if (typeof name !== "string") return; // refused where nodes are read
  const text = (key: string, found: unknown): string | undefined => {
    if (found === undefined || (typeof found === "string" && found !== "")) return found;
    throw refuse([...path, key], "want a text");
  };
  const place = text("code", code);
  sources.set(name, {
    ...(place === undefined ? {} : { place }),
    ...(type === DETECTOR ? { service: DETECTOR } : {}),
  });
  containers.set(name, {
    image: text("image", image),
    env: variablesAt({ value: env, path: [...path, "env"] }, refuse),
  });
}

/** A map of variables as a container's list. */
function variablesAt({ value, path }: Spot, refuse: Reading["refuse"]): readonly Fields[] {
  if (value === undefined) return [];
  if (!isFields(value)) throw refuse(path, "want names and texts");
  return Object.entries(value).map(([name, text]) => {
    if (typeof text !== "string")
      throw refuse([...path, name], "want a text", "write it in quotes");
    return { name, value: text };
  });
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
