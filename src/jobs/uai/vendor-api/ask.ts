import { RegistryError, stripControls, type ErrorCode } from "../../../ground/errors/index.ts";
import { type CallOptions } from "../../../ground/bytes/index.ts";
import { retryAfterOf, type HttpClient } from "../../../ground/http/index.ts";
import { networkReason, retry, type RetryOptions } from "../../../ground/process/index.ts";
import { AnswerFault, parseAnswer, type Answer } from "./answers.ts";
import type { VendorKeys } from "./contracts.ts";
import { retCodeFacts } from "./ret-codes.ts";
import { sign, parameterText, type Parameters } from "./sign.ts";

export interface AskContext extends CallOptions {
  readonly keys: VendorKeys;
  readonly endpoint: URL;
  readonly client: HttpClient;
  readonly timeoutMs: number;
  readonly retry: RetryOptions;
}

/** An answer read to its end. */
interface HttpAnswer {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  /** Absent when the body is longer than is read. */
  readonly bytes: Uint8Array | undefined;
}

/** One question as it goes out. */
interface Question {
  readonly action: string;
  readonly url: URL;
  /** Texts that nothing shown may hold. */
  readonly secrets: readonly string[];
  readonly context: AskContext;
}

interface Facts {
  readonly why: string;
  readonly hint: string;
  readonly status?: number;
  readonly retryAfterMs?: number | undefined;
}

const MAX_BYTES = 1024 * 1024;
const HEADERS = { accept: "application/json", "accept-encoding": "identity" };
const LATER = "try again later, or name a base image with --bimg_name";
const NOT_IT = "check the endpoint of the vendor's API";

/**
 * Signs a question, asks it until there is an answer, and reads that.
 * @throws RegistryError `REGISTRY_UNREACHABLE`, `REGISTRY_UNAVAILABLE`, `REGISTRY_THROTTLED`, `TIMEOUT` after the last attempt; `REGISTRY_UNAUTHORIZED`,
 * `REGISTRY_DENIED`, `REGISTRY_REFUSED`, `REGISTRY_PROTOCOL`, `LIMIT_EXCEEDED`, `INSECURE_REFUSED` at once; the signal's reason.
 */
export async function ask<T>(
  parameters: Parameters & { readonly Action: string },
  read: (answer: Answer) => T,
  context: AskContext,
): Promise<T> {
  const question = questionOf(parameters, context);
  const { signal } = context;
  try {
    return await retry(() => attempt(question, read), {
      ...context.retry,
      ...(signal && { signal }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

function questionOf(
  parameters: Parameters & { readonly Action: string },
  context: AskContext,
): Question {
  const { publicKey, privateKey } = context.keys;
  const signed = { ...parameters, PublicKey: publicKey };
  const signature = sign(signed, privateKey);
  const url = new URL(context.endpoint);
  url.search = new URLSearchParams([
    ...Object.entries(signed).map(
      ([key, value]) => [key, parameterText(value)] as [string, string],
    ),
    ["Signature", signature],
  ]).toString();
  const plain = [privateKey, publicKey, signature];
  // Longest first, so that a key inside another does not leave its rest.
  const secrets = [...new Set([...plain, ...plain.map(encodeURIComponent)])].sort(
    (one, other) => other.length - one.length,
  );
  return { action: parameters.Action, url, secrets, context };
}

async function attempt<T>(question: Question, read: (answer: Answer) => T): Promise<T> {
  const { context } = question;
  const late = AbortSignal.timeout(context.timeoutMs);
  const signal = context.signal === undefined ? late : AbortSignal.any([late, context.signal]);
  let answer: HttpAnswer;
  try {
    answer = await askOnce(question, signal);
  } catch (error) {
    context.signal?.throwIfAborted();
    if (late.aborted)
      throw failure(question, "TIMEOUT", {
        why: `no whole answer in ${context.timeoutMs} ms`,
        hint: LATER,
      });
    throw networkFailure(question, error);
  }
  return readAnswer(question, answer, read);
}

/** One GET; nothing is followed. */
async function askOnce(
  { action, url, context }: Question,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const response = await context.client.send({
    action,
    method: "GET",
    url,
    headers: HEADERS,
    signal,
  });
  const bytes = await response.readBytes(MAX_BYTES + 1);
  return {
    status: response.status,
    retryAfterMs: retryAfterOf(response.header("retry-after")),
    bytes: bytes.byteLength > MAX_BYTES ? undefined : bytes,
  };
}

function readAnswer<T>(
  question: Question,
  { status, retryAfterMs, bytes }: HttpAnswer,
  read: (answer: Answer) => T,
): T {
  if (status === 429)
    throw failure(question, "REGISTRY_THROTTLED", {
      why: "it is asked too often",
      hint: LATER,
      status,
      retryAfterMs,
    });
  if (status >= 500)
    throw failure(question, "REGISTRY_UNAVAILABLE", {
      why: `it answered HTTP ${status}`,
      hint: LATER,
      status,
      retryAfterMs,
    });
  if (status >= 300 && status < 400)
    throw failure(question, "REGISTRY_PROTOCOL", {
      why: `it answered HTTP ${status}; signed requests do not follow redirections`,
      hint: NOT_IT,
      status,
    });
  if (bytes === undefined)
    throw failure(question, "LIMIT_EXCEEDED", {
      why: "its answer is too long",
      hint: NOT_IT,
      status,
    });
  try {
    const answer = parseAnswer(bytes);
    if (answer.RetCode !== 0) throw refusal(question, answer.RetCode, answer["Message"]);
    if (status !== 200) throw new AnswerFault(`it answered HTTP ${status}`);
    return read(answer);
  } catch (error) {
    if (error instanceof AnswerFault)
      throw failure(question, status >= 400 ? "REGISTRY_REFUSED" : "REGISTRY_PROTOCOL", {
        why: status >= 400 ? `it answered HTTP ${status}` : error.message,
        hint: NOT_IT,
        status,
      });
    throw error;
  }
}

function refusal(question: Question, retCode: number, message: unknown): RegistryError {
  const { code, meaning, hint } = retCodeFacts(retCode);
  const said =
    typeof message === "string" && message.trim() !== ""
      ? `: "${withoutSecrets(stripControls(message), question.secrets).slice(0, 300)}"`
      : "";
  return failure(question, code, { why: `RetCode ${retCode}, ${meaning}${said}`, hint });
}

/** Node's errors are not kept as causes: those of the HTTP parser carry what came over the wire. */
function networkFailure(question: Question, error: unknown): unknown {
  if (!(error instanceof RegistryError)) return error;
  const { code, isUntrusted, why = "the connection failed" } = networkReason(error.cause);
  if (isUntrusted)
    return failure(question, "INSECURE_REFUSED", {
      why: "its certificate is not trusted",
      hint: "give its authority's certificate with SSL_CERT_FILE",
    });
  if (code === "EPROTO" || code.startsWith("ERR_SSL_"))
    return failure(question, "INSECURE_REFUSED", { why: "it does not speak HTTPS", hint: NOT_IT });
  return failure(question, "REGISTRY_UNREACHABLE", {
    why,
    hint: "check the endpoint, the network and the proxy settings",
  });
}

function failure(
  { action, url }: Question,
  code: ErrorCode,
  { why, ...facts }: Facts,
): RegistryError {
  return new RegistryError(code, `ask the vendor's API "${url.host}" for ${action}: ${why}`, {
    method: "GET",
    url: `${url.origin}${url.pathname}?Action=${action}`,
    ...facts,
  });
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((left, secret) => left.replaceAll(secret, "REDACTED"), text);
}
