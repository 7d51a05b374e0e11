import { access } from "node:fs/promises";
import { join } from "node:path";
import type { ModelDescription } from "../../models/description/index.ts";
import type { PackProject } from "../../images/pack/index.ts";
import type { Environment, Surroundings } from "../session.ts";

export interface DescribeOptions {
  /** Python interpreter that the user names. */
  readonly python?: string | undefined;
  readonly workers?: number | undefined;
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
      executable: options.python ?? (await findPython(root, session.environment)),
      path: [root],
    },
  };
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
