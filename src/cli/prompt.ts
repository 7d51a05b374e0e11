import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { ToolError } from "../ground/errors/index.ts";

const MAX_INPUT_CHARS = 1024 * 1024;
const MAX_SECRET_CHARS = 64 * 1024;

/** True when there is a person to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks one question on the terminal. What is typed does not show when `isHidden`. Ctrl-C ends the command. */
export async function ask(
  question: string,
  { signal }: { readonly signal: AbortSignal },
  isHidden = false,
): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({
    input: process.stdin,
    output: isHidden ? silent : process.stderr,
    terminal: true,
  });
  // In raw mode Ctrl-C is a key and no signal; the command must hear of it all the same.
  terminal.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    return await terminal.question("", { signal });
  } finally {
    terminal.close();
    if (isHidden) process.stderr.write("\n");
  }
}

/** Reads a small text from standard input to its end. @throws ToolError `USAGE` beyond a MiB. */
export async function readInput({ signal }: { readonly signal: AbortSignal }): Promise<string> {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin as AsyncIterable<string>) {
    signal.throwIfAborted();
    text += chunk;
    if (text.length > MAX_INPUT_CHARS)
      throw new ToolError("USAGE", "read standard input: it is longer than a MiB");
  }
  return text;
}

/** Reads a secret from standard input to its end, without the line end that `echo` puts there. @throws ToolError `USAGE`. */
export async function readSecret({ signal }: { readonly signal: AbortSignal }): Promise<string> {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin as AsyncIterable<string>) {
    signal.throwIfAborted();
    text += chunk;
    if (text.length > MAX_SECRET_CHARS)
      throw new ToolError("USAGE", "read a password from standard input: it is too long to be one");
  }
  const secret = text.replace(/\r?\n$/, "");
  if (secret === "")
    throw new ToolError("USAGE", "read a password from standard input: it is empty", {
      hint: "pipe it in: slipway login HOST --username NAME --password-stdin < file",
    });
  return secret;
}
