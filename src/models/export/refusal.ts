import { ToolError } from "../../ground/errors/index.ts";

/** The error of a graph that cannot be frozen: a node stands in the way, and constants cannot take its place. */
export function refuseGraph(why: string, hint: string): ToolError {
  return new ToolError("UNSUPPORTED", `freeze the graph: ${why}`, { hint });
}

/** The error of words that do not fit the graph. */
export function refuseWords(what: string, why: string, hint: string): ToolError {
  return new ToolError("USAGE", `${what}: ${why}`, { hint });
}

const MAX_NAMED = 8;

/** Names in double quotes, the first few of many. */
export function nameSome(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMED).map((name) => `"${name}"`);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}
