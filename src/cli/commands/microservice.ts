import { findPython } from "../../app/index.ts";
import { runEntry } from "../../serving/server/index.ts";
import type { Run } from "../cli.ts";

/** `slipway seldon-core-microservice`: what images call by this name, on this machine. */
export const serveMicroservice: Run<"seldon-core-microservice"> = async ({ words }, cli) => {
  const { cwd, environment, signal } = cli.session;
  const python = await findPython(cwd, environment);
  process.exitCode = await runEntry({
    argv: ["seldon-core-microservice", ...words],
    env: { ...environment, SLIPWAY_PYTHON: python },
    cwd,
    signal,
    print: (text) => void process.stderr.write(text),
  });
};
