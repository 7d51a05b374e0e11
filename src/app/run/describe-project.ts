import { access } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { ModelDescription } from "../../models/description/index.ts";
import type { PackProject } from "../../images/pack/index.ts";
import { keepEnvironment } from "../../images/python-packages/index.ts";
import type { Environment, Surroundings } from "../session.ts";

export interface DescribeOptions {
  /** Python interpreter that the user names. */
  readonly python?: string | undefined;
  readonly workers?: number | undefined;
  /** Absolute folder of kept environments: what a model needs is installed into one there, which then serves it. Default: nothing is installed. */
  readonly environments?: string | undefined;
}

/** The description of a project that is served where it lies, in place of the one that an image has baked in. */
export async function describeProject(
  project: PackProject,
  options: DescribeOptions,
  session: Surroundings,
): Promise<ModelDescription> {
  const { name, kind, contract, service, root, code, signature, modelPath, ports, server } =
    project;
  const { allowPickle, processing } = project;
  const { workers = server.workers } = options;
  return {
    schemaVersion: 1,
    name,
    kind,
    contract,
    service,
    ports,
    codePath: root,
    ...(code === undefined ? {} : { code }),
    ...(signature === undefined ? {} : { signature }),
    ...(modelPath === undefined ? {} : { modelPath }),
    ...(allowPickle === undefined ? {} : { allowPickle }),
    ...processing,
    server: { ...server, ...(workers === undefined ? {} : { workers }) },
    python: {
      executable: await interpreterOf(project, options, session),
      path: [root],
    },
  };
}

async function interpreterOf(
  project: PackProject,
  { python, environments }: DescribeOptions,
  session: Surroundings,
): Promise<string> {
  const { root, requirements, requirementLines, indexes, pythonVersion } = project;
  if (environments === undefined) return python ?? findPython(root, session.environment);
  const named = python ?? pythonVersion ?? (await findPython(root, session.environment));
  const base = named.includes("/") ? resolve(session.cwd, named) : named;
  const packages = { root, files: requirements, lines: requirementLines, indexes };
  const step = (text: string): void => session.emit({ kind: "step", text });
  const kept = await keepEnvironment(
    { ...packages, python: base, parent: environments },
    {
      ...session,
      onInstall: () =>
        step(
          `installing ${[...requirements, ...requirementLines].join(", ")} below ${environments}`,
        ),
    },
  );
  if (kept === undefined) step(`${project.name} asks for no Python packages: none are installed`);
  return kept ?? python ?? findPython(root, session.environment);
}

/** `SLIPWAY_PYTHON`, the project's own virtual environment, the one that is active, or the machine's. */
export async function findPython(root: string, env: Environment): Promise<string> {
  const named = env["SLIPWAY_PYTHON"];
  if (named !== undefined && named !== "") return named;
  const folders = [
    join(root, ".venv"),
    join(root, "venv"),
    ...(env["VIRTUAL_ENV"] === undefined ? [] : [env["VIRTUAL_ENV"]]),
  ];
  for (const folder of folders) {
    const path = join(folder, "bin/python");
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return "python3";
}
