import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { noFile } from "../../ground/process/index.ts";
import {
  knownRegistries,
  mergeCatalogues,
  ownCatalogue,
  parseCatalogue,
  type Catalogue,
  type RegistryHosts,
} from "../../jobs/catalogue/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { CATALOGUE_VARIABLE } from "../options/catalogue-option.ts";
import type { Surroundings } from "../session.ts";

/** Pairs of hosts that are one registry, `PUBLIC=INTERNAL` with commas between. */
const HOSTS_VARIABLE = "SLIPWAY_REGISTRY_HOSTS";

const MAX_BYTES = 2 ** 20;

/** What both packers know from files and settings rather than from flags. */
export interface PackSettings {
  readonly catalogue: Catalogue;
  /** A namespace alone is in the first. */
  readonly registries: readonly [RegistryHosts, ...RegistryHosts[]];
}

/** @throws ToolError `USAGE` and ProjectError `PROJECT_INVALID` for settings and files that cannot be used. */
export async function openPackSettings(
  file: string | undefined,
  session: Pick<Surroundings, "cwd" | "environment">,
): Promise<PackSettings> {
  return {
    registries: knownRegistries(session.environment[HOSTS_VARIABLE]),
    catalogue: await openCatalogue(file, session),
  };
}

/**
 * Our rows, and before them those of the user's file: the flag's, else the environment's.
 * @throws ToolError `USAGE` for a file that cannot be read, ProjectError `PROJECT_INVALID` for what is wrong in it.
 */
export async function openCatalogue(
  file: string | undefined,
  { cwd, environment }: Pick<Surroundings, "cwd" | "environment">,
): Promise<Catalogue> {
  const named = file ?? environment[CATALOGUE_VARIABLE] ?? "";
  const ours = await ownCatalogue();
  if (named === "") return ours;
  return mergeCatalogues(
    await parseCatalogue(
      await readCatalogueText(named, file === undefined ? CATALOGUE_VARIABLE : "--catalogue", cwd),
      named,
    ),
    ours,
  );
}

async function readCatalogueText(named: string, setting: string, cwd: string): Promise<string> {
  const path = resolve(cwd, named);
  const stats = await stat(path).catch(noFile);
  if (stats?.isFile() !== true)
    throw new ToolError("USAGE", `${setting} "${named}": it is not a file`);
  if (stats.size > MAX_BYTES)
    throw new ToolError("USAGE", `${setting} "${named}": it is larger than ${MAX_BYTES} bytes`);
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new ToolError("USAGE", `${setting} "${named}": it cannot be read`, { cause: error });
  }
}
