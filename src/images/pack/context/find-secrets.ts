import { open } from "node:fs/promises";
import { ToolError } from "../../../ground/errors/index.ts";
import { type CallOptions } from "../../../ground/bytes/index.ts";
import { mapLimited } from "../../../ground/process/index.ts";
import { compileIgnore } from "./ignore.ts";
import { SECRET_NAMES } from "./own-secret-rules.ts";
import { createSecretScanner, type SecretScanner } from "./scan-text.ts";
import type { WalkedFile } from "./walk.ts";

/** Where something like a secret stands. The secret itself is nowhere in it. */
export interface SecretFinding {
  readonly path: string;
  /** 1-based; absent when the file's name says it all. */
  readonly line?: number;
  /** What it looks like. */
  readonly what: string;
}

/** Longer files are weights or data; a key does not hide in them by mistake. */
const MAX_SCANNED_BYTES = 2 ** 20;
/** Sources, notebooks and settings are scanned to this length: notebooks keep pictures beside code. */
const MAX_SOURCE_BYTES = 64 * 2 ** 20;
const SOURCE_NAME =
  /\.(ipynb|py|r|rmd|jl|js|mjs|cjs|ts|tsx|java|go|rs|c|cc|cpp|h|cs|rb|php|sh|bash|zsh|ps1|bat|ya?ml|toml|ini|cfg|conf|config|properties|env|tf|tfvars|tfstate|sql|html|xml|md|rst)$/i;

/**
 * Looks for files that hold keys, tokens or passwords: by name, and in the text of sources, settings and notebooks.
 * @param allow - patterns in the form of `.dockerignore`; files that match are not looked at
 */
export async function findSecrets(
  files: readonly WalkedFile[],
  allow: readonly string[],
  options: CallOptions = {},
): Promise<readonly SecretFinding[]> {
  const isAllowed = compileIgnore(allow);
  const scanner = await createSecretScanner();
  const found = await mapLimited(
    files.filter(({ path }) => !isAllowed(path)),
    8,
    (file) => findIn(file, scanner, options),
  );
  return found.flat();
}

/** Looks for secrets in settings that would go into the image: `env.HF_TOKEN`, `labels.key`. */
export async function findSecretsInSettings(
  groups: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<readonly SecretFinding[]> {
  const scanner = await createSecretScanner();
  return Object.entries(groups).flatMap(([group, values]) =>
    Object.entries(values).flatMap(([name, value]) => {
      const [finding] = [
        ...scanner.scan(`${name}=${value}`, group),
        ...scanner.scan(`${name}: "${value}"`, group),
      ];
      return finding === undefined ? [] : [{ path: `${group}.${name}`, what: finding.what }];
    }),
  );
}

/** What is allowed although it looks like a secret, and settings that go into the image beside the files. */
export interface SecretOptions extends CallOptions {
  /** Patterns in the form of `.dockerignore`: of files, and of settings such as `env.NAME`. */
  readonly allow: readonly string[];
  /** Variables and labels of the image. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
}

/** @throws ToolError `SECRET_IN_CONTEXT` naming every place, when there is one. */
export async function refuseSecrets(
  files: readonly WalkedFile[],
  { allow, settings = {}, signal }: SecretOptions,
): Promise<void> {
  const isAllowed = compileIgnore(allow);
  const found = [
    ...(await findSecretsInSettings(settings)).filter(({ path }) => !isAllowed(path)),
    ...(await findSecrets(files, allow, { signal })),
  ];
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

async function findIn(
  file: WalkedFile,
  scanner: SecretScanner,
  options: CallOptions,
): Promise<readonly SecretFinding[]> {
  options.signal?.throwIfAborted();
  const { path, source, guard } = file;
  const named = SECRET_NAMES.find(([pattern]) => pattern.test(path));
  if (named !== undefined) return [{ path, what: named[1] }];
  const limit = SOURCE_NAME.test(path) ? MAX_SOURCE_BYTES : MAX_SCANNED_BYTES;
  if (guard.size === 0 || guard.size > limit) return [];
  const bytes = await readBytes(source, guard.size);
  if (isKeyFile(path, bytes)) return [{ path, what: "a key file" }];
  const text = textOfBytes(bytes);
  if (text === undefined) return [];
  return scanner.scan(text, path).map((finding) => ({ path, ...finding }));
}

/** Files named like keys hold many things: certificates, presentations, names of columns. Binary keys and lone tokens are secrets. */
function isKeyFile(path: string, bytes: Buffer): boolean {
  if (!/\.(key|der|pk8|p8|secret)$/i.test(path)) return false;
  if (bytes[0] === 0x30 && (bytes[1] === 0x82 || bytes[1] === 0x81)) return true; // ASN.1, as keys are written
  const text = bytes.subarray(0, 4096).toString("latin1").trim();
  return /^[A-Za-z0-9+/_=-]{24,}$/.test(text) && /\d/.test(text) && /[A-Za-z]/.test(text);
}

async function readBytes(path: string, size: number): Promise<Buffer> {
  await using file = await open(path);
  const buffer = Buffer.allocUnsafe(size);
  const { bytesRead } = await file.read(buffer, 0, size, 0);
  return buffer.subarray(0, bytesRead);
}

/** One character for each byte, or for each unit of UTF-16; `undefined` for what is binary. */
function textOfBytes(bytes: Buffer): string | undefined {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || isUtf16(bytes, 1)) return toLatin1(bytes);
  if ((first === 0xfe && second === 0xff) || isUtf16(bytes, 0))
    return toLatin1(Buffer.from(bytes.subarray(0, bytes.byteLength & ~1)).swap16());
  return bytes.subarray(0, 8192).includes(0) ? undefined : bytes.toString("latin1");
}

/** Characters beyond Latin-1 become others; no secret has them, and places stay the same. */
function toLatin1(utf16: Buffer): string {
  return Buffer.from(utf16.toString("utf16le"), "latin1").toString("latin1");
}

/** UTF-16 without a mark: mostly ASCII, so that every other byte is zero. @param zeros - 1 for little-endian, 0 for big-endian */
function isUtf16(bytes: Buffer, zeros: 0 | 1): boolean {
  const sample = bytes.subarray(0, 2048);
  if (sample.byteLength < 16) return false;
  let [matching, pairs] = [0, 0];
  for (let at = 0; at + 1 < sample.byteLength; at += 2) {
    pairs += 1;
    if (sample[at + zeros] === 0 && sample[at + 1 - zeros] !== 0) matching += 1;
  }
  return matching > pairs * 0.9;
}
