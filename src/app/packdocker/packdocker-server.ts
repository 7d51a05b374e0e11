import { ToolError } from "../../ground/errors/index.ts";
import type { BaseImage, PackProject } from "../../images/pack/index.ts";
import { GUNICORN_COMMAND, SERVER_ROOT } from "../../jobs/uai/index.ts";
import type { Places } from "../session.ts";
import type { UaiServer } from "./packdocker-choices.ts";

export interface ChosenServer {
  readonly kind: UaiServer;
  /** For people. */
  readonly why: string;
}

/** The server that the user names, else the base's own where it brings one. @throws ToolError `BASE_UNSUITABLE` for gunicorn on a base without it. */
export function chooseServer(
  wanted: UaiServer | undefined,
  { name, facts }: BaseImage,
): ChosenServer {
  const isThere = facts.hasUaiServer === true;
  if (wanted === "gunicorn" && !isThere) {
    throw new ToolError(
      "BASE_UNSUITABLE",
      `serve with gunicorn on "${name}": it has no gunicorn.conf.py and httpserver/wsgi.py in ${SERVER_ROOT}`,
      { hint: "leave --server out, and slipway's own server answers" },
    );
  }
  if (wanted !== undefined) return { kind: wanted, why: "--server says so" };
  return isThere
    ? { kind: "gunicorn", why: `the base brings its server in ${SERVER_ROOT}` }
    : { kind: "slipway", why: "the base brings no server" };
}

/** The project as that server starts it; says what has no effect there. */
export function servedBy(
  { kind }: ChosenServer,
  project: PackProject,
  about: { readonly base: BaseImage; readonly given: readonly string[]; readonly session: Places },
): PackProject {
  if (kind === "slipway") return project;
  const {
    base: { facts },
    given,
    session,
  } = about;
  if (given.length > 0)
    session.emit({
      kind: "warning",
      text: `${given.join(" and ")} ${given.length === 1 ? "has" : "have"} no effect: gunicorn serves, and gunicorn.conf.py in ${SERVER_ROOT} says how`,
    });
  const canInstall = facts.python !== undefined && facts.glibc !== undefined;
  if (project.requirements.length > 0 && !canInstall)
    session.emit({
      kind: "warning",
      text: `${project.requirements.join(", ")} is not installed: the base has no Python 3; what the class imports must be in the base`,
    });
  return {
    ...project,
    startCommand: GUNICORN_COMMAND,
    ...(!canInstall && { requirements: [], requirementLines: [] }),
  };
}
