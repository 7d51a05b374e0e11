import { ToolError } from "../../ground/errors/index.ts";
import { flagsOf, TRAIN_FLAGS, type Framework, type TrainValues } from "../../jobs/train/index.ts";

/** What `train pack` takes beside the old tools' flags. */
export interface TrainPackFlags {
  readonly framework?: string;
  readonly base?: string;
  readonly gpuBase?: string;
  readonly catalogue?: string;
  readonly requirements?: readonly string[];
  readonly apt?: readonly string[];
  readonly pushCpu?: boolean;
  readonly push?: boolean;
  readonly engine?: "auto" | "docker" | "podman" | "none";
  readonly dryRun?: boolean;
  readonly platform?: string;
  readonly gpu?: string;
  readonly driver?: string;
  readonly allowSecret?: readonly string[];
  readonly indexUrl?: string;
  readonly extraIndexUrl?: readonly string[];
  readonly findLinks?: readonly string[];
  readonly allowMissingLibrary?: readonly string[];
  readonly passwordStdin?: boolean;
  readonly [name: string]: unknown;
}

/** The old flags' values, whichever way each was written. @throws ToolError `USAGE` for a flag that the framework does not have. */
export function trainValues(framework: Framework, flags: TrainPackFlags): TrainValues {
  const known = flagsOf(framework);
  const values: Record<string, string | undefined> = {};
  for (const { name } of TRAIN_FLAGS) {
    const dashed = name.replaceAll(/[_](.)/g, (_, letter: string) => letter.toUpperCase());
    const value = flags[name] ?? flags[dashed];
    if (typeof value !== "string") continue;
    if (!known.some((flag) => flag.name === name))
      throw new ToolError("USAGE", `pack for ${framework}: it has no --${name}`);
    values[name] = value;
  }
  return values;
}
