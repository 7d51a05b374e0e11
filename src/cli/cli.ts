import type { Session } from "../app/index.ts";
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
