import { join, resolve } from "node:path";
import { keepEnvironment } from "../../images/python-packages/index.ts";
import { findPython } from "../run/describe-project.ts";
import type { ConverterSession } from "./convert-model.ts";

/** A Python that has a framework and a converter. */
interface WantedEnvironment {
  /** Absolute folder of the model. */
  readonly root: string;
  /** Lines of a requirements file. */
  readonly lines: readonly string[];
  readonly python?: string | undefined;
  readonly isInstalled?: boolean | undefined;
  readonly indexUrl?: string | undefined;
  readonly findLinks?: readonly string[] | undefined;
}

/**
 * The interpreter that converts: the user's as it is, else one of an environment in the cache, which is made for these packages and used
 * for nothing else. It may be deleted at any time.
 * @throws ToolError what `keepEnvironment` throws.
 */
export async function environmentFor(
  { root, lines, python, isInstalled = false, indexUrl, findLinks = [] }: WantedEnvironment,
  session: ConverterSession,
): Promise<string> {
  const named = python?.includes("/") === true ? resolve(session.cwd, python) : python;
  if (isInstalled) return named ?? findPython(root, session.environment);
  const parent = join(session.directories.cache, "environments");
  const places = findLinks.map((place) =>
    /^(https?|file):/.test(place) ? place : resolve(session.cwd, place),
  );
  const kept = await keepEnvironment(
    {
      ...{ root, lines, files: [], parent },
      python: named ?? "python3",
      indexes: { indexUrl, findLinks: places },
    },
    {
      ...session,
      onInstall: () =>
        session.emit({ kind: "step", text: `installing ${lines.join(", ")} below ${parent}` }),
    },
  );
  return kept ?? named ?? "python3";
}
