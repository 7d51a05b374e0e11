import {
  isToolError,
  ProcessError,
  RegistryError,
  stripControls,
  type ToolError,
} from "../../ground/errors/index.ts";

/** An error as lines for a person: code and message, hint, cause. Never a stack; never a secret, since messages hold none. */
export function errorLines(error: unknown): string[] {
  if (!isToolError(error)) return internalLines(error);
  const lines = [`error ${error.code}: ${clean(error.message)}`];
  if (error.hint !== undefined) lines.push(`  hint: ${clean(error.hint)}`);
  const cause = causeOf(error);
  if (cause !== undefined) lines.push(`  cause: ${clean(cause)}`);
  return lines;
}

/** The same as data, for `--json`. */
export function errorData(error: unknown): Readonly<Record<string, unknown>> {
  if (!isToolError(error))
    return {
      code: "INTERNAL",
      message: error instanceof Error ? clean(error.message) : String(error),
    };
  return {
    code: error.code,
    message: clean(error.message),
    hint: error.hint,
    cause: causeOf(error),
  };
}

function causeOf(error: ToolError): string | undefined {
  if (error instanceof RegistryError) {
    const diagnostics = error.diagnostics.map((entry) => ` ${entry.code}`).join("");
    return `${error.method} ${error.url}${error.status === undefined ? "" : ` ${error.status}`}${diagnostics}`;
  }
  if (error instanceof ProcessError)
    return error.stderrTail.trim() === ""
      ? undefined
      : error.stderrTail.trim().split("\n").slice(-5).join("\n    ");
  return error.cause instanceof Error &&
    error.cause.message !== "" &&
    !error.message.includes(error.cause.message)
    ? error.cause.message
    : undefined;
}

function internalLines(error: unknown): string[] {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return [
    `error INTERNAL: ${clean(text)}`,
    "  hint: this is a bug in slipway; please report it with the command line and, with SLIPWAY_DEBUG=1 set, the stack that follows",
  ];
}

function clean(text: string): string {
  return text.split("\n").map(stripControls).join("\n");
}
