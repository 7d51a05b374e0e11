import {
  inspectBase,
  type BaseImage,
  type JsonCache,
  type PlannedLayer,
} from "../../images/pack/index.ts";
import type { Surroundings } from "../session.ts";
import { bringsModules } from "../pack/base-image.ts";
import { unmetImports } from "./missing-imports.ts";
import type { PythonSource } from "./python-sources.ts";

/** Code, and the image that it is in. */
export interface ImportedCode {
  /** The file that Python starts with. */
  readonly mainFile: string;
  readonly sources: readonly PythonSource[];
  readonly base: BaseImage;
  readonly layers: readonly PlannedLayer[];
  /** Variables that the image sets. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** More say nothing new. */
const MAX_WARNINGS = 20;

/**
 * Warns of imports that nothing in an image brings: not Python, the folder, the wheels or the base. The layers of a base are read for it once, where they lie
 * in the store; where it is not known what a base brings, nothing is said.
 * @param said - sentences that were said before
 * @returns what was said now.
 */
export async function warnOfImports(
  { mainFile, sources, base, layers, env = {} }: ImportedCode,
  { cache, said = [] }: { readonly cache: JsonCache; readonly said?: readonly string[] },
  session: Surroundings,
): Promise<readonly string[]> {
  const { python } = base.facts;
  if (python === undefined || env["PYTHONPATH"] !== undefined) return [];
  const modules = new Set(layers.flatMap((layer) => layer.modules ?? []));
  const version = python.version.split(".").slice(0, 2).join(".");
  const unmet = (known: ReadonlySet<string>): readonly string[] =>
    unmetImports(mainFile, sources, { python: version, isThere: (one) => known.has(one) });
  if (unmet(modules).length === 0) return [];
  const own = await modulesIn(base, cache, session);
  if (own === undefined) return [];
  const texts = unmet(new Set([...modules, ...own])).filter((text) => !said.includes(text));
  for (const text of texts.slice(0, MAX_WARNINGS)) session.emit({ kind: "warning", text });
  return texts;
}

async function modulesIn(
  { facts, image, digest, name, added }: BaseImage,
  cache: JsonCache,
  session: Surroundings,
): Promise<readonly string[] | undefined> {
  if (added?.packages.some(bringsModules) === true) return undefined;
  if (facts.modules !== undefined || !name.startsWith("store:")) return facts.modules;
  return (await inspectBase(image, { digest, cache }, session)).modules;
}
