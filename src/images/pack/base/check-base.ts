import { ToolError } from "../../../ground/errors/index.ts";
import { runtimeOf } from "../../../models/description/index.ts";
import type { BaseImage } from "../../recipe/index.ts";
import type { PackProject } from "../contracts.ts";

/** The oldest glibc that the pinned Node runs on. @see nodejs/node, BUILDING.md, "Platform list" */
const NODE_GLIBC = "2.28";
const HINT =
  "make one with `slipway base debian --include python3 --name pybase` and pass `--base store:pybase`";

/** Refuses a base on which the image could not run, from what is known of it; nothing is read. @throws ToolError `BASE_UNSUITABLE`. */
export function checkBase(project: PackProject, { name, facts }: BaseImage): void {
  if (project.startCommand !== undefined || project.isWeightsAlone === true) return; // nothing of ours runs there
  const refuse = (why: string): never => {
    throw new ToolError("BASE_UNSUITABLE", `pack on "${name}": ${why}`, { hint: HINT });
  };
  if (facts.glibc === undefined) refuse("it has no glibc, which Node needs");
  else if (isOlder(facts.glibc, NODE_GLIBC))
    refuse(`its glibc is ${facts.glibc}, and Node needs ${NODE_GLIBC} or newer`);
  if (!facts.sonames.includes("libstdc++.so.6"))
    refuse("it has no libstdc++.so.6, which Node needs");
  checkPython(project, facts.python?.version, refuse);
}

function checkPython(
  project: PackProject,
  version: string | undefined,
  refuse: (why: string) => never,
): void {
  const runsPython =
    project.fetchedKinds === undefined
      ? runtimeOf(project) === "python"
      : project.fetchedKinds.some((kind) => runtimeOf({ kind }) === "python");
  if (!runsPython) return;
  if (version === undefined) return refuse("it has no Python, and the project needs one");
  const wanted = project.pythonVersion;
  if (wanted !== undefined && version !== wanted && !version.startsWith(`${wanted}.`))
    refuse(`its Python is ${version}, and python.version of the project file asks for ${wanted}`);
}

function isOlder(version: string, other: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split(".").map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
