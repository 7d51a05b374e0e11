import type { FlagProblem } from "../../jobs/uai/index.ts";
import { registryReference } from "../places/places.ts";
import type { Caller, Places } from "../session.ts";

/** Values of the old tools' flags, by name. */
type Values = Readonly<Record<string, string | undefined>>;

/** A secret that was written on the command line is used, and its owner told. @param ofKeys - what to do about keys. */
export function warnOfSecrets(
  values: Values,
  { emit }: Caller,
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
  emit({
    kind: "warning",
    text: `${shows}; ${given.map((name) => advice[name]).join(", and ")}`,
  });
}

/** An account of the old tools' flags that lacks its name or its password: it would be passed over in silence. */
export function accountProblems(
  values: Values,
  password: string | undefined,
): readonly FlagProblem[] {
  const hasName = (values["uhub_username"] ?? "") !== "";
  const hasPassword = (password ?? values["uhub_password"] ?? "") !== "";
  if (hasName === hasPassword) return [];
  return hasName
    ? [
        {
          flag: "uhub_username",
          why: "its password is missing; pass --password-stdin, or run `slipway login` and leave the name out",
        },
      ]
    : [
        {
          flag: password === undefined ? "uhub_password" : "password-stdin",
          why: "--uhub_username is missing, so the password is nobody's",
        },
      ];
}

/** The session with the account of the old tools' flags, which comes before all others at the registry of the image and is used nowhere else. */
export function withAccount<S extends Places>(
  values: Values,
  about: { readonly image: string; readonly password: string | undefined },
  session: S,
): S {
  const username = values["uhub_username"];
  const password = about.password ?? values["uhub_password"];
  if (username === undefined || password === undefined) return session;
  // Not by the environment, which child processes get.
  const { registry } = registryReference(about.image);
  return { ...session, access: { ...session.access, login: { registry, username, password } } };
}
