import { distributionOf } from "../../../models/python-source/index.ts";
import type { UserFailure } from "../../plane/index.ts";

const SYNTAX_ERRORS: readonly string[] = ["SyntaxError", "TabError", "IndentationError"];

/** What to do when user code does not start: by what is missing, else by the traceback. */
export function startHint({ type, lacks }: UserFailure): string {
  if (SYNTAX_ERRORS.includes(type))
    return "mend that line; where it is Python 2, pack again with --convert-py2";
  if (lacks === undefined) return "read the traceback in the log";
  const { module, attribute } = lacks;
  const [name = module] = module.split(".");
  if (attribute !== undefined)
    return name === "tensorflow"
      ? `where the code is for TensorFlow 1, pack again with --tf1-compat, or start it with SLIPWAY_TF1_COMPAT=1; else read the traceback in the log`
      : `pin the release of ${distributionOf(name)} that the code was written for in requirements.txt: the one that is installed has no ${module}.${attribute}`;
  if (module !== name)
    return `pin the release of ${distributionOf(name)} that the code was written for in requirements.txt: the one that is installed has no ${module}`;
  const distribution = distributionOf(name);
  return `run \`pip install ${distribution}\` where a folder is served, or serve it with --install; for an image add ${distribution} to requirements.txt, and pack again`;
}
