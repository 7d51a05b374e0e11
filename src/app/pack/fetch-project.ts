import { ToolError } from "../../ground/errors/index.ts";
import type { ProjectTree } from "../../images/pack/index.ts";
import {
  MODEL_KINDS,
  type ModelKind,
  type ProjectFile,
  runtimeOf,
} from "../../models/description/index.ts";
import { kindRow } from "../../models/kinds/index.ts";
import type { ProjectRequest } from "./project.ts";

/** The contract of servers that fetch their model when they start. */
export const FETCHING_CONTRACT = "model-server";

/** Files that stand in a folder beside a model and are none. */
const BESIDE = /^(?:requirements[^/]*\.txt|pyproject\.toml|[^/]+\.md|LICENSE[^/]*|[^/]*\.env)$/i;

/**
 * True when an image without a model is wanted: kinds to fetch are named, or the contract is that of the model server and the folder has
 * neither model nor code in it.
 */
export function isFetchImage(
  { fetchedKinds, contract, model, code }: ProjectRequest,
  file: ProjectFile,
  { files }: ProjectTree,
): boolean {
  if (fetchedKinds !== undefined) return true;
  const isContract = (contract ?? file.contract) === FETCHING_CONTRACT;
  const named = [model, code, file.model, file.code].some((name) => name !== undefined);
  return isContract && !named && files.every(({ path }) => BESIDE.test(path));
}

/** What an image that fetches its model can run, and what it needs for that. */
export interface FetchedKinds {
  /** In the order of `MODEL_KINDS`. */
  readonly kinds: readonly ModelKind[];
  /** Lines of a requirements file. */
  readonly requirements: readonly string[];
}

/**
 * The kinds that the named ones bring along: every kind that runs on the same Python packages, and ONNX, which needs none.
 * @param names - default `onnx` alone
 * @throws ToolError `USAGE` for a kind that there is not, or that is not served
 */
export function fetchedKinds(names: readonly string[] = []): FetchedKinds {
  const named = names.map(servedKind);
  const requirements = [...new Set(named.flatMap((kind) => kindRow(kind).requirements))];
  const packages = new Set(requirements.map(packageOf));
  const kinds = MODEL_KINDS.filter((kind) => {
    if (kind === "onnx" || named.includes(kind)) return true;
    const needs = kindRow(kind).requirements.map(packageOf);
    return (
      runtimeOf({ kind }) === "python" &&
      needs.length > 0 &&
      needs.every((needed) => packages.has(needed))
    );
  });
  return { kinds, requirements };
}

function servedKind(name: string): ModelKind {
  const kind = MODEL_KINDS.find((known) => known === name);
  if (kind !== undefined && kind !== "class" && runtimeOf({ kind }) !== "none") return kind;
  const served = MODEL_KINDS.filter(
    (one) => one !== "class" && runtimeOf({ kind: one }) !== "none",
  );
  throw new ToolError("USAGE", `pack --fetch: no model of kind "${name}" is served`, {
    hint: `name some of ${served.join(", ")}`,
  });
}

/** `Name[extra]==1.0` is of the package `name`. @see PEP 503 */
function packageOf(requirement: string): string {
  return (/^[\w.-]+/.exec(requirement)?.[0] ?? requirement)
    .toLowerCase()
    .replaceAll(/[-_.]+/g, "-");
}
