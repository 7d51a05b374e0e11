import { ToolError } from "../../../ground/errors/index.ts";
import { type CallOptions } from "../../../ground/bytes/index.ts";
import { run } from "../../../ground/process/index.ts";
import type { AuthFile } from "./auth-file.ts";
import { matchingKeys, storageKeyOf } from "./match-key.ts";
import type { Credential } from "./contracts.ts";

/** Helpers may ask a keyring that asks a person; no longer than this. */
const TIMEOUT_MS = 60_000;
const MAX_ANSWER_BYTES = 1 << 20;
const SUFFIX = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

export interface HelperOptions extends CallOptions {
  /** The helper's environment, with the PATH on which it is found. Default: this process's. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * Asks `docker-credential-<suffix>` for a credential. @returns nothing when it holds none.
 * @throws ToolError `CREDENTIAL_INVALID` naming the helper; never with anything that it printed to its answer.
 * @see docker-credential-helpers, README.md
 */
export async function getFromHelper(
  suffix: string,
  serverUrl: string,
  options: HelperOptions,
): Promise<Credential | undefined> {
  const { stdout, exitCode } = await callHelper(
    suffix,
    { verb: "get", stdin: `${serverUrl}\n` },
    options,
  );
  if (exitCode !== 0) {
    if (/credentials not found/i.test(stdout)) return undefined;
    throw failed(suffix, "get", { why: `it ended with exit code ${exitCode}` });
  }
  const { Username, Secret } = parseAnswer(stdout, suffix);
  if (typeof Username !== "string" || typeof Secret !== "string" || Secret === "") return undefined;
  return Username === "<token>"
    ? { kind: "identity-token", token: Secret }
    : { kind: "basic", username: Username, password: Secret };
}

/** Gives a helper a credential to keep. @throws ToolError `CREDENTIAL_INVALID`. */
export async function storeInHelper(
  suffix: string,
  entry: { readonly serverUrl: string; readonly username: string; readonly secret: string },
  options: HelperOptions,
): Promise<void> {
  const stdin = JSON.stringify({
    ServerURL: entry.serverUrl,
    Username: entry.username,
    Secret: entry.secret,
  });
  const { exitCode } = await callHelper(suffix, { verb: "store", stdin }, options);
  if (exitCode !== 0) throw failed(suffix, "store", { why: `it ended with exit code ${exitCode}` });
}

/** Makes a helper forget a credential. @returns false when it held none. @throws ToolError `CREDENTIAL_INVALID`. */
export async function eraseFromHelper(
  suffix: string,
  serverUrl: string,
  options: HelperOptions,
): Promise<boolean> {
  if ((await getFromHelper(suffix, serverUrl, options)) === undefined) return false;
  const { exitCode } = await callHelper(
    suffix,
    { verb: "erase", stdin: `${serverUrl}\n` },
    options,
  );
  if (exitCode !== 0) throw failed(suffix, "erase", { why: `it ended with exit code ${exitCode}` });
  return true;
}

/** The helper that keeps a registry's credential, and the name under which it does. */
export function helperFor(
  file: Pick<AuthFile, "credHelpers" | "credsStore">,
  registryHost: string,
): { readonly suffix: string; readonly serverUrl: string } | undefined {
  const key = matchingKeys(file.credHelpers.keys(), registryHost, undefined)[0];
  const own = key === undefined ? undefined : file.credHelpers.get(key);
  if (own !== undefined && key !== undefined) return { suffix: own, serverUrl: key };
  return file.credsStore === undefined
    ? undefined
    : { suffix: file.credsStore, serverUrl: storageKeyOf(registryHost) };
}

/** The program of a helper. */
export function helperProgram(suffix: string): string {
  return `docker-credential-${suffix}`;
}

async function callHelper(
  suffix: string,
  call: { readonly verb: string; readonly stdin: string },
  options: HelperOptions,
): Promise<{ readonly stdout: string; readonly exitCode: number }> {
  if (!SUFFIX.test(suffix))
    throw failed(suffix.slice(0, 50), call.verb, { why: "that is no helper's name" });
  try {
    const result = await run([helperProgram(suffix), call.verb], {
      stdin: call.stdin,
      timeoutMs: TIMEOUT_MS,
      maxOutputBytes: MAX_ANSWER_BYTES,
      allowFailure: true,
      signal: options.signal,
      ...(options.environment === undefined ? {} : { env: options.environment }),
    });
    return { stdout: result.stdout.toString("utf8"), exitCode: result.exitCode };
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    throw failed(suffix, call.verb, { why: reasonOf(error), cause: error });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof ToolError && error.code === "TOOL_MISSING") return "it is not installed";
  if (error instanceof ToolError && error.code === "TIMEOUT")
    return `it did not answer within ${TIMEOUT_MS / 1000} s`;
  return "it failed";
}

function parseAnswer(text: string, suffix: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (typeof value !== "object" || value === null)
    throw failed(suffix, "get", { why: "its answer is not a JSON object" });
  return value as Readonly<Record<string, unknown>>; // an object; its fields are checked where they are read
}

function failed(
  suffix: string,
  verb: string,
  problem: { readonly why: string; readonly cause?: unknown },
): ToolError {
  const { why, cause } = problem;
  return new ToolError(
    "CREDENTIAL_INVALID",
    `ask credential helper "${helperProgram(suffix)}" to ${verb}: ${why}`,
    { cause, hint: "mend the helper, or take it out of the docker config" },
  );
}
