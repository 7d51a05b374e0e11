import { isToolError } from "../../../ground/errors/index.ts";
import { expandWord } from "../syntax/expand-words.ts";
import { parseDockerfile, type Dockerfile, type Stage } from "../syntax/parse-dockerfile.ts";

/**
 * What the last stage of a Dockerfile sets by `ENV`, with earlier variables put into later ones, without building anything. A value that
 * needs a variable which the file does not set is left out; a text that is no Dockerfile sets nothing.
 */
export function environmentOfDockerfile(text: string): Readonly<Record<string, string>> {
  const dockerfile = readOrNothing(text);
  if (dockerfile === undefined) return {};
  const env = new Map<string, string>();
  for (const stage of lastWithParents(dockerfile)) setVariables(env, stage, dockerfile.escape);
  return Object.fromEntries(env);
}

function readOrNothing(text: string): Dockerfile | undefined {
  try {
    return parseDockerfile(text, "Dockerfile");
  } catch (error) {
    if (isToolError(error)) return undefined;
    throw error;
  }
}

/** The last stage behind the stages that it stands on. */
function lastWithParents({ stages }: Dockerfile): readonly Stage[] {
  const chain: Stage[] = [];
  for (let at = stages.length - 1; at >= 0;) {
    const stage = stages[at];
    if (stage === undefined) break;
    chain.unshift(stage);
    at = stages.slice(0, at).findLastIndex(({ from }) => from.name === stage.from.base);
  }
  return chain;
}

function setVariables(env: Map<string, string>, { steps }: Stage, escape: string): void {
  for (const step of steps) {
    if (step.kind !== "ENV") continue;
    const before = new Map(env);
    for (const { name, value } of step.pairs) {
      const known = expandKnown(value, before, escape);
      if (known !== undefined) env.set(name, known);
    }
  }
}

/** @returns `undefined` for a value that cannot be known. */
function expandKnown(
  value: string,
  variables: ReadonlyMap<string, string>,
  escape: string,
): string | undefined {
  try {
    const text = expandWord(value, variables, { escape });
    return expandWord(value, variables, { escape, keepsUnset: true }) === text ? text : undefined;
  } catch {
    return undefined; // a word that cannot be expanded is refused where it is used
  }
}
