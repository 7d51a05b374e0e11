import { access, symlink } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import { createTempDir, run as runProcess } from "../../ground/process/index.ts";
import { PLACES } from "../../jobs/train/index.ts";
import type { Surroundings } from "../session.ts";
import { findToolFiles } from "../pack/tool-files.ts";
import type { TrainEnd, TrainFollower, TrainRun } from "./train-run.ts";

/** Runs the same command without a container: the code where it lies, with the project's own Python. Ctrl-C ends it and its children. */
export async function runOnHost(
  run: TrainRun,
  follower: TrainFollower,
  session: Surroundings,
): Promise<TrainEnd> {
  const { plan, data, output } = run;
  const code = plan.code.path;
  if (code === undefined)
    throw new ToolError(
      "USAGE",
      `train run: "${plan.code.mainFile}" is in the image, and --host runs without it`,
      { hint: "leave out --host" },
    );
  const python = run.request.python ?? (await findPython(code, session));
  const helpers = join(findToolFiles().workerFolder, "compat", "uaitrain");
  // A folder that holds the helpers alone, so that Python does not find other modules beside them.
  await using folder = await createTempDir("slipway-helpers");
  await symlink(helpers, join(folder.path, "uaitrain"));
  const words = run.words.map((word) => onHost(word, { code, data, output }));
  const command: readonly [string, ...string[]] =
    run.tasks.length === 0
      ? [python, ...words]
      : [
          python,
          join(helpers, "launch.py"),
          JSON.stringify({ tasks: run.tasks }),
          python,
          ...words,
        ];
  const decoder = new TextDecoder();
  session.emit({ kind: "step", text: `starting ${plan.code.mainFile} with ${python}` });
  session.emit({
    kind: "warning",
    text: "without a container nothing is kept apart: the script runs as you, and sees what you see",
  });
  await follower.started({ command });
  const { exitCode } = await runProcess(command, {
    cwd: code,
    env: session.environment,
    extraEnv: {
      PYTHONUNBUFFERED: "1",
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONPATH: [session.environment["PYTHONPATH"], folder.path]
        .filter((path) => path !== undefined && path !== "")
        .join(delimiter),
      ...run.request.env,
    },
    onStdout: (chunk) => follower.log(decoder.decode(chunk, { stream: true })),
    onStderr: (text) => follower.log(text),
    allowFailure: true,
    signal: session.signal,
  });
  return { exitCode };
}

/** A path of the container as one of this machine: in the standard parameters and as the main file, and nowhere else. */
function onHost(
  word: string,
  places: { readonly code: string; readonly data: string; readonly output: string },
): string {
  const [, flag = "", path = ""] =
    /^(--(?:work_dir|data_dir|output_dir|log_dir)=)?(\/data(?:\/.*)?)$/s.exec(word) ?? [];
  if (path === "") return word;
  if (flag !== "" && path === PLACES.data) return `${flag}${places.data}`;
  if (flag !== "" && path === PLACES.output) return `${flag}${places.output}`;
  if (path === PLACES.code) return `${flag}${places.code}`;
  return `${flag}${join(places.code, path.slice(PLACES.code.length))}`;
}

/** The environment that is active, else the one beside the code, else the machine's. */
async function findPython(code: string, { environment, cwd }: Surroundings): Promise<string> {
  const folders = [
    environment["VIRTUAL_ENV"],
    environment["CONDA_PREFIX"],
    join(code, ".venv"),
    join(cwd, ".venv"),
    join(cwd, "venv"),
  ];
  for (const folder of folders) {
    const path = folder === undefined ? undefined : join(folder, "bin", "python");
    const isThere =
      path !== undefined &&
      (await access(path).then(
        () => true,
        () => false,
      ));
    if (isThere) return path;
  }
  return "python3";
}
