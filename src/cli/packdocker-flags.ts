import { parseLocation } from "../copy/index.ts";
import { ToolError } from "../errors/index.ts";
import { strayFlagsOf, uaiFlagsOf, type UaiFlag, type UaiFramework, type UaiJob, type UaiValues } from "../uai/index.ts";
import type { Context } from "./context.ts";
import type { TestEngine, UaiBaseSource, UaiServer } from "./packdocker-choices.ts";
import { readSecret } from "./prompt.ts";

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
  readonly indexUrl?: string;
  readonly findLinks?: readonly string[];
  readonly [name: string]: unknown;
}

/** The flags' values, whichever way each was written. */
export function uaiValuesOf(framework: UaiFramework, flags: PackdockerFlags): UaiValues {
  return Object.fromEntries(uaiFlagsOf(framework).map((flag) => [flag.name, valueOf(flag, flags)]));
}

function valueOf({ name }: UaiFlag, flags: PackdockerFlags): string | undefined {
  const value = flags[name] ?? flags[name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())];
  return typeof value === "string" ? value : undefined;
}

/** The old usage line had the flags of all frameworks for each of them: what this one has no use for is passed over, and that is said. */
export function warnOfStrays(framework: UaiFramework, flags: PackdockerFlags, { reporter }: Context): void {
  const given = strayFlagsOf(framework).filter((flag) => valueOf(flag, flags) !== undefined);
  if (given.length > 0) reporter.warn(`${given.map(({ name }) => `--${name}`).join(" and ")}: ${framework} has no use for ${given.length === 1 ? "it" : "them"}`);
}

/** Flags that only our server understands, as far as they are given. */
export function ownSettingsIn({ maxBatch, maxWaitMs, tf1Compat }: PackdockerFlags): readonly string[] {
  return [...(maxBatch === undefined ? [] : ["--max-batch"]), ...(maxWaitMs === undefined ? [] : ["--max-wait-ms"]), ...(tf1Compat === true ? ["--tf1-compat"] : [])];
}

/** A secret that was written on the command line is used, and its owner told. */
export function warnOfSecrets(values: UaiValues, { baseFrom }: PackdockerFlags, { reporter }: Context): void {
  const advice = {
    uhub_password: "use `slipway login` or --password-stdin",
    private_key: baseFrom === "vendor" ? "put the keys into SLIPWAY_VENDOR_PUBLIC_KEY and SLIPWAY_VENDOR_PRIVATE_KEY" : "leave keys out: they are not needed",
  } as const;
  const given = (["uhub_password", "private_key"] as const).filter((name) => values[name] !== undefined);
  if (given.length === 0) return;
  const shows = `${given.map((name) => `--${name}`).join(" and ")} on the command line ${given.length === 1 ? "shows" : "show"} in the process list and the shell's history`;
  reporter.warn(`${shows}; ${given.map((name) => advice[name]).join(", and ")}`);
}

/** The context with the credentials of the flags, which come before all others at the registry of the image, and are used nowhere else. */
export async function credentialsFor(job: UaiJob, { values, flags, context }: { readonly values: UaiValues; readonly flags: PackdockerFlags; readonly context: Context }): Promise<Context> {
  const username = values["uhub_username"];
  const password = flags.passwordStdin === true ? await readSecret(context) : values["uhub_password"];
  if (username === undefined || password === undefined) return context;
  const location = parseLocation(job.image);
  if (location.kind !== "registry") throw new ToolError("USAGE", `name the image "${job.image}": it is not in a registry`);
  // Not by the environment, which child processes get.
  return { ...context, access: { mirrors: [], ...context.access, login: { registry: location.reference.registry, username, password } } };
}
