import type { CommandName, CommandRequests, Session } from "../app/index.ts";
import type { Reporter } from "./render/reporter.ts";

/** What a command works with. */
export interface Cli {
  readonly session: Session;
  readonly reporter: Reporter;
  /** True when `--json` was given: standard output carries JSON only. */
  readonly isJson: boolean;
  /** Reads a password from standard input to its end. @throws ToolError `USAGE` when there is none. */
  readonly readSecret: () => Promise<string>;
}

/** Does what a request says, and tells what came of it. */
type Runner<Request> = (request: Request, cli: Cli) => Promise<void>;

/** What runs the command of this name. */
export type Run<Name extends CommandName> = Runner<CommandRequests[Name]>;
