import type { Context } from "../context.ts";
import { registryReference } from "../places/places.ts";

/** Values of the old tools' flags, by name. */
type Values = Readonly<Record<string, string | undefined>>;

/** A secret that was written on the command line is used, and its owner told. @param ofKeys - what to do about keys. */
export function warnOfSecrets(
  values: Values,
  { reporter }: Context,
  ofKeys = "leave keys out: they are not needed",
): void {
  const advice = {
    uhub_password: "use `slipway login` or --password-stdin",
    private_key: ofKeys,
  } as const;
  const given = (["uhub_password", "private_key"] as const).filter(
    (name) => values[name] !== undefined,
  );
  if (given.length === 0) return;
  const shows = `${given.map((name) => `--${name}`).join(" and ")} on the command line ${given.length === 1 ? "shows" : "show"} in the process list and the shell's history`;
  reporter.warn(`${shows}; ${given.map((name) => advice[name]).join(", and ")}`);
}

/** The context with the account of the old tools' flags, which comes before all others at the registry of the image and is used nowhere else. */
export async function withAccount(
  values: Values,
  about: { readonly image: string; readonly isOnStdin: boolean },
  context: Context,
): Promise<Context> {
  const username = values["uhub_username"];
  const password = about.isOnStdin ? await context.readSecret() : values["uhub_password"];
  if (username === undefined || password === undefined) return context;
  // Not by the environment, which child processes get.
  return {
    ...context,
    access: {
      mirrors: [],
      ...context.access,
      login: { registry: registryReference(about.image).registry, username, password },
    },
  };
}
