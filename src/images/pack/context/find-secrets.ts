import { open } from "node:fs/promises";
import { ToolError } from "../../../ground/errors/index.ts";
import { type CallOptions } from "../../../ground/bytes/index.ts";
import { mapLimited } from "../../../ground/process/index.ts";
import { compileIgnore } from "./ignore.ts";
import type { WalkedFile } from "./walk.ts";

/** Where something like a secret stands. The secret itself is nowhere in it. */
export interface SecretFinding {
  readonly path: string;
  /** 1-based; absent when the file's name says it all. */
  readonly line?: number;
  /** What it looks like. */
  readonly what: string;
}

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/(^|\/)\.env(\.(?!example$|sample$|template$|dist$)[^/]+)?$/, "an environment file"],
  [/(^|\/)id_(rsa|dsa|ecdsa|ed25519)$/, "an SSH private key"],
  [/\.(pem|key|p12|pfx|jks|keystore)$/i, "a key file"],
  [/(^|\/)\.(netrc|pgpass|git-credentials|pypirc|htpasswd)$/, "a credential file"],
  [/(^|\/)\.aws\/credentials$/, "AWS credentials"],
  [/(^|\/)\.docker\/config\.json$/, "a Docker configuration"],
  [/(^|\/)\.kube\/config$/, "a Kubernetes configuration"],
];

const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----/, "a private key"],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/, "an AWS access key"],
  [
    /\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{50,}\b/,
    "a GitHub token",
  ],
  [/\bglpat-[A-Za-z0-9_-]{20,}\b/, "a GitLab token"],
  [/\bhf_[A-Za-z]{30,}\b/, "a Hugging Face token"],
  [/\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}\b/, "an API key"],
  [/\bxox[abprs]-[A-Za-z0-9-]{20,}\b/, "a Slack token"],
  [/\bAIza[A-Za-z0-9_-]{35}\b/, "a Google API key"],
  [/\bnpm_[A-Za-z0-9]{36}\b|_authToken\s*=\s*[^\s$]{8,}/, "an npm token"],
  [/\bpypi-AgEI[A-Za-z0-9_-]{50,}/, "a PyPI token"],
  [/"auths"\s*:\s*\{[^}]*"auth"\s*:\s*"[A-Za-z0-9+/=]{8,}"/, "registry credentials"],
  [
    /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"']{1,64}:[^\s/:@"'$<{]{6,}@[a-z0-9.-]+/i,
    "a password in a URL",
  ],
];

/** Longer files are weights or data; a key does not hide in them by mistake. */
const MAX_SCANNED_BYTES = 1024 * 1024;
const PUBLIC_PEM = /-----BEGIN (?!(?:[A-Z0-9]+ )*PRIVATE)/;

/**
 * Looks for files that hold keys, tokens or passwords.
 * @param allow - patterns in the form of `.dockerignore`; files that match are not looked at
 */
export async function findSecrets(
  files: readonly WalkedFile[],
  allow: readonly string[],
  options: CallOptions = {},
): Promise<readonly SecretFinding[]> {
  const isAllowed = compileIgnore(allow);
  const found = await mapLimited(
    files.filter(({ path }) => !isAllowed(path)),
    8,
    (file) => findIn(file, options),
  );
  return found.flat();
}

/** @throws ToolError `SECRET_IN_CONTEXT` naming every place, when there is one. */
export async function refuseSecrets(
  files: readonly WalkedFile[],
  allow: readonly string[],
  options: CallOptions = {},
): Promise<void> {
  const found = await findSecrets(files, allow, options);
  if (found.length === 0) return;
  const places = found
    .slice(0, 20)
    .map(({ path, line, what }) => `${line === undefined ? path : `${path}:${line}`} (${what})`);
  const more = found.length > places.length ? `, and ${found.length - places.length} more` : "";
  throw new ToolError(
    "SECRET_IN_CONTEXT",
    `pack: ${found.length === 1 ? "a secret" : `${found.length} secrets`} would go into the image: ${places.join(", ")}${more}`,
    {
      hint: "take it out, list the file in .slipwayignore, or allow it with --allow-secret PATTERN or allowSecrets in slipway.yaml",
    },
  );
}

async function findIn(file: WalkedFile, options: CallOptions): Promise<readonly SecretFinding[]> {
  options.signal?.throwIfAborted();
  const named = NAMES.find(([pattern]) => pattern.test(file.path));
  if (file.guard.size > MAX_SCANNED_BYTES)
    return named === undefined ? [] : [{ path: file.path, what: named[1] }];
  const text = await readText(file.source, file.guard.size);
  if (
    named !== undefined &&
    !(
      named[1] === "a key file" &&
      text !== undefined &&
      PUBLIC_PEM.test(text) &&
      !/PRIVATE KEY/.test(text)
    )
  )
    return [{ path: file.path, what: named[1] }];
  if (text === undefined) return [];
  return TEXTS.flatMap(([pattern, what]) => {
    const match = pattern.exec(text);
    return match === null
      ? []
      : [{ path: file.path, line: text.slice(0, match.index).split("\n").length, what }];
  });
}

/** The file as text, or `undefined` when it is binary. */
async function readText(path: string, size: number): Promise<string | undefined> {
  if (size === 0) return "";
  await using file = await open(path);
  const buffer = Buffer.allocUnsafe(size);
  const { bytesRead } = await file.read(buffer, 0, size, 0);
  const bytes = buffer.subarray(0, bytesRead);
  return bytes.subarray(0, 8192).includes(0) ? undefined : bytes.toString("latin1");
}
