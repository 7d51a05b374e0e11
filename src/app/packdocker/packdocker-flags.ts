import {
  strayFlagsOf,
  uaiFlagsOf,
  type UaiFlag,
  type UaiFramework,
  type UaiValues,
} from "../../jobs/uai/index.ts";
import type { Context } from "../context.ts";
import type { TestEngine, UaiBaseSource, UaiServer } from "./packdocker-choices.ts";

/** What `packdocker` takes beside the old tool's flags. */
export interface PackdockerFlags {
  readonly passwordStdin?: boolean;
  readonly push?: boolean;
  readonly plan?: boolean;
  readonly dryRun?: boolean;
  readonly output?: readonly string[];
  readonly emitDockerfile?: string;
  readonly writeConf?: boolean;
  readonly platform?: string;
  readonly server?: UaiServer;
  readonly baseFrom?: UaiBaseSource;
  readonly catalogue?: string;
  readonly vendorEndpoint?: string;
  readonly test?: readonly string[];
  readonly testEngine?: TestEngine;
  readonly testTimeout?: number;
  readonly maxBatch?: number;
  readonly maxWaitMs?: number;
  readonly tf1Compat?: boolean;
  readonly allowSecret?: readonly string[];
  readonly allowPickle?: readonly string[];
  readonly indexUrl?: string;
  readonly findLinks?: readonly string[];
  readonly allowMissingLibrary?: readonly string[];
  readonly apt?: readonly string[];
  readonly [name: string]: unknown;
}

/** The flags' values, whichever way each was written. */
export function uaiValuesOf(framework: UaiFramework, flags: PackdockerFlags): UaiValues {
  return Object.fromEntries(uaiFlagsOf(framework).map((flag) => [flag.name, valueOf(flag, flags)]));
}

function valueOf({ name }: UaiFlag, flags: PackdockerFlags): string | undefined {
  const value =
    flags[name] ?? flags[name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())];
  return typeof value === "string" ? value : undefined;
}

/** The old usage line had the flags of all frameworks for each of them: what this one has no use for is passed over, and that is said. */
export function warnOfStrays(
  framework: UaiFramework,
  flags: PackdockerFlags,
  { reporter }: Context,
): void {
  const given = strayFlagsOf(framework).filter((flag) => valueOf(flag, flags) !== undefined);
  if (given.length > 0)
    reporter.warn(
      `${given.map(({ name }) => `--${name}`).join(" and ")}: ${framework} has no use for ${given.length === 1 ? "it" : "them"}`,
    );
}

/** Flags that only our server understands, as far as they are given. */
export function ownSettingsIn({
  maxBatch,
  maxWaitMs,
  tf1Compat,
}: PackdockerFlags): readonly string[] {
  return [
    ...(maxBatch === undefined ? [] : ["--max-batch"]),
    ...(maxWaitMs === undefined ? [] : ["--max-wait-ms"]),
    ...(tf1Compat === true ? ["--tf1-compat"] : []),
  ];
}
