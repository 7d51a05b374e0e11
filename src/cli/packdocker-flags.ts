import { parseLocation } from "../copy/index.ts";
import { ToolError } from "../errors/index.ts";
import { uaiFlagsOf, type UaiFramework, type UaiJob, type UaiValues } from "../uai/index.ts";
import type { Context } from "./context.ts";
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
  readonly maxBatch?: number;
  readonly maxWaitMs?: number;
  readonly tf1Compat?: boolean;
  readonly allowSecret?: readonly string[];
  readonly indexUrl?: string;
  readonly findLinks?: readonly string[];
  readonly [name: string]: unknown;
}

const HAS_SECRETS = ["uhub_password", "private_key"];

/** The flags' values, whichever way each was written. */
export function uaiValuesOf(framework: UaiFramework, flags: PackdockerFlags): UaiValues {
  return Object.fromEntries(
    uaiFlagsOf(framework).map(({ name }) => {
      const value = flags[name] ?? flags[name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())];
      return [name, typeof value === "string" ? value : undefined];
    }),
  );
}

/** A secret that was written on the command line is used, and its owner told. */
export function warnOfSecrets(values: UaiValues, { reporter }: Context): void {
  const given = HAS_SECRETS.filter((name) => values[name] !== undefined);
  if (given.length > 0) reporter.warn(`${given.map((name) => `--${name}`).join(" and ")} on the command line show in the process list and the shell's history; use \`slipway login\` or --password-stdin, and leave keys out: they are not needed`);
}

/** The context for the push: credentials of the flags come before all others there, and nowhere else. */
export async function credentialsFor(job: UaiJob, { values, flags, context }: { readonly values: UaiValues; readonly flags: PackdockerFlags; readonly context: Context }): Promise<Context> {
  const username = values["uhub_username"];
  const password = flags.passwordStdin === true ? await readSecret(context) : values["uhub_password"];
  if (username === undefined || password === undefined) return context;
  const location = parseLocation(job.image);
  if (location.kind !== "registry") throw new ToolError("USAGE", `name the image "${job.image}": it is not in a registry`);
  return { ...context, env: { ...context.env, SLIPWAY_REGISTRY: location.reference.registry, SLIPWAY_REGISTRY_USER: username, SLIPWAY_REGISTRY_PASSWORD: password } };
}
