import { createHash } from "node:crypto";
import { chmod, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { explainFullDisk, isToolError } from "../../ground/errors/index.ts";
import { createTempDir } from "../../ground/process/index.ts";
import type {
  LockedWheel,
  PythonContext,
  PythonLock,
  PythonRequest,
  WantedPackages,
} from "./contracts.ts";
import { explainResolverError, isNetworkError } from "./explain.ts";
import { findInstaller, type Installer } from "./installer.ts";
import { parsePipReport } from "./pip-report.ts";
import { pipPlatformsOf, uvPlatformOf } from "./platform-tag.ts";
import { parsePylock } from "./pylock.ts";
import { readRequirements } from "./requirements.ts";
import { checkStatedHashes } from "./stated-hashes.ts";

/** Goes up when locks of older versions must not be used again. */
const LOCK_VERSION = 1;

/** Settings of uv and pip that change what is chosen; they belong to the key of a kept lock. */
const DECIDING_VARIABLES =
  /^(UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|INDEX_STRATEGY|PRERELEASE|RESOLUTION|EXCLUDE_NEWER|TORCH_BACKEND|CONSTRAINT|OVERRIDE|CONFIG_FILE)|PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|PRE|CONSTRAINT|CONFIG_FILE))$/;

/** What is asked from the resolver beside the request. */
export type ResolveContext = Pick<
  PythonContext,
  "cache" | "environment" | "refresh" | "signal" | "onProgress"
>;

/**
 * Chooses one wheel for every package that the request needs, for the target and not for this machine. The choice is kept:
 * while requirements, included files, local wheels, target and index options stay the same, no tool is started.
 * Without a network it falls back to what the tool has in its cache.
 * @throws ContentError `DIGEST_MISMATCH` for a wheel that is not what the requirements state.
 * @throws ToolError `REQUIREMENT_WITHOUT_WHEEL`, `REQUIREMENTS_INVALID`, `PACKAGE_UNAVAILABLE`, `TOOL_MISSING`, `BASE_UNSUITABLE`.
 */
export async function resolvePython(
  request: PythonRequest,
  context: ResolveContext,
): Promise<PythonLock> {
  const requirements = readRequirements(request);
  if (requirements.isEmpty) return { wheels: [], isFromCache: true };
  const lock = await chooseWheels(request, requirements.digest, context);
  const isRequired = /^(1|true|yes|on)$/i.test(
    context.environment["PIP_REQUIRE_HASHES"] ?? context.environment["UV_REQUIRE_HASHES"] ?? "",
  );
  const { stated, areRequired } = requirements.hashes;
  checkStatedHashes(lock.wheels, { stated, areRequired: areRequired || isRequired });
  return lock;
}

async function chooseWheels(
  request: PythonRequest,
  digest: string,
  context: ResolveContext,
): Promise<PythonLock> {
  const key = keyOf(request, digest, context.environment);
  const kept = context.refresh === true ? undefined : parseKept(await context.cache.get(key));
  if (kept !== undefined) return { wheels: kept, isFromCache: true };
  context.onProgress?.({ kind: "resolve" });
  const installer = await findInstaller(context.environment, context);
  const seen = await openSeen(request, context);
  const wheels =
    (await chooseFromSeen(installer, seen, { request, context })) ??
    (await askInstaller(installer, { request, signal: context.signal }));
  await seen.add(wheels);
  await context.cache.set(key, { wheels });
  return { wheels, isFromCache: false };
}

/** Wheels that an index gave for a target before, by hash. */
interface SeenWheels {
  readonly isEmpty: boolean;
  haveAll(wheels: readonly LockedWheel[]): boolean;
  add(wheels: readonly LockedWheel[]): Promise<void>;
}

/** More are forgotten, the oldest first; that costs a question to the index. */
const MAX_SEEN = 10_000;

async function openSeen(request: PythonRequest, context: ResolveContext): Promise<SeenWheels> {
  const key = keyOf(request, "wheels seen", context.environment);
  const value = ((await context.cache.get(key)) as { readonly seen?: unknown } | undefined)?.seen;
  const seen = new Set(Array.isArray(value) ? value.filter((one) => typeof one === "string") : []);
  return {
    isEmpty: seen.size === 0,
    haveAll: (wheels) => wheels.every(({ sha256 }) => seen.has(sha256)),
    async add(wheels) {
      const fresh = wheels.filter(({ sha256 }) => !seen.has(sha256));
      if (fresh.length > 0)
        await context.cache.set(key, {
          seen: [...seen, ...fresh.map(({ sha256 }) => sha256)].slice(-MAX_SEEN),
        });
    },
  };
}

/**
 * What uv chooses from its cache alone, when every wheel of it was given by an index before: requirements that are only written in another
 * way, or ask for less, need no index. A new package or release does, and so does `refresh`.
 */
async function chooseFromSeen(
  installer: Installer,
  seen: SeenWheels,
  { request, context }: { readonly request: PythonRequest; readonly context: ResolveContext },
): Promise<readonly LockedWheel[] | undefined> {
  if (installer.kind !== "uv" || seen.isEmpty || context.refresh === true) return undefined;
  try {
    const wheels = await askInstaller(installer, {
      request,
      signal: context.signal,
      isOffline: true,
    });
    return seen.haveAll(wheels) ? wheels : undefined;
  } catch (error) {
    context.signal?.throwIfAborted();
    if (!isToolError(error)) throw error;
    return undefined; // asked again with the index, which says what is wrong
  }
}

/** Variables that change what is chosen, with their values, in order. May hold credentials. */
export function decidingSettings(
  environment: PythonContext["environment"],
): readonly (readonly [string, string | undefined])[] {
  return Object.entries(environment)
    .filter(([name]) => DECIDING_VARIABLES.test(name))
    .toSorted();
}

function keyOf(
  request: PythonRequest,
  digest: string,
  environment: PythonContext["environment"],
): string {
  const facts = [
    LOCK_VERSION,
    digest,
    request.target.pythonVersion,
    uvPlatformOf(request.target),
    request.indexes ?? {},
    decidingSettings(environment),
  ];
  // The whole is hashed, so credentials in it do not reach the disk.
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}

async function askInstaller(
  installer: Installer,
  asked: InstallerQuestion,
): Promise<readonly LockedWheel[]> {
  await using folder = await createTempDir("slipway-resolve");
  const file = join(folder.path, "requirements.txt");
  await writePrivate(file, requirementsText(asked.request));
  const ask = installer.kind === "uv" ? askUv : askPip;
  try {
    return await ask(installer, file, asked);
  } catch (error) {
    throw explainResolverError(error);
  }
}

interface InstallerQuestion {
  readonly request: PythonRequest;
  readonly signal: AbortSignal | undefined;
  /** Only what the tool has in its cache counts. */
  readonly isOffline?: boolean;
}

async function askUv(
  installer: Installer,
  file: string,
  { request, signal, isOffline = false }: InstallerQuestion,
): Promise<readonly LockedWheel[]> {
  const args = [
    "pip",
    "compile",
    file,
    "--format",
    "pylock.toml",
    "--no-header",
    "--no-progress",
    "--only-binary",
    ":all:",
  ];
  const target = [
    "--python-version",
    request.target.pythonVersion,
    "--python-platform",
    uvPlatformOf(request.target),
  ];
  const call = (more: readonly string[]): Promise<{ readonly stdout: Buffer }> =>
    installer.call([...args, ...target, ...strategyOf(request), ...more], {
      cwd: request.root,
      signal,
    });
  const { stdout } = await call(isOffline ? ["--offline"] : []).catch(async (error: unknown) => {
    if (isOffline || !isNetworkError(error)) throw error;
    return call(["--offline"]).catch(() => Promise.reject(error)); // the first failure says more
  });
  return parsePylock(stdout.toString("utf8"), request.root);
}

/** How uv chooses among indexes; pip asks all of them anyway. */
export function strategyOf({ indexes }: WantedPackages): readonly string[] {
  return indexes?.areEqual === true ? ["--index-strategy", "unsafe-best-match"] : [];
}

/** pip judges environment markers by its own Python and machine: right only where these are like the target. */
async function askPip(
  installer: Installer,
  file: string,
  { request, signal }: InstallerQuestion,
): Promise<readonly LockedWheel[]> {
  const args = [
    "install",
    "--dry-run",
    "--ignore-installed",
    "--quiet",
    "--report",
    "-",
    "--target",
    join(file, "..", "nowhere"),
    "--requirement",
    file,
  ];
  const { stdout } = await installer.call([...args, ...pipTarget(request)], {
    cwd: request.root,
    signal,
  });
  return parsePipReport(stdout.toString("utf8"));
}

/** What makes pip choose for the target. */
export function pipTarget(request: PythonRequest): readonly string[] {
  const digits = request.target.pythonVersion.replace(".", "");
  const platforms = pipPlatformsOf(request.target).flatMap((platform) => ["--platform", platform]);
  return [
    "--only-binary",
    ":all:",
    "--implementation",
    "cp",
    "--python-version",
    request.target.pythonVersion,
    "--abi",
    `cp${digits}`,
    "--abi",
    "abi3",
    "--abi",
    "none",
    ...platforms,
  ];
}

/** A requirements file for all that is wanted. Index options travel in a private file: arguments and environment can be read by others. */
export function requirementsText(request: WantedPackages): string {
  const lines = (request.lines ?? []).map((line) =>
    /^\.{1,2}\//.test(line) ? resolve(request.root, line) : line,
  );
  const files = request.files.map((file) => `-r ${resolve(request.root, file)}`);
  return [...indexLinesOf(request), ...files, ...lines, ""].join("\n");
}

/** The request's index options as lines of a requirements file. */
export function indexLinesOf(request: WantedPackages): readonly string[] {
  const { indexUrl, extraIndexUrls = [], findLinks = [], noIndex } = request.indexes ?? {};
  return [
    ...(indexUrl === undefined ? [] : [`--index-url ${indexUrl}`]),
    ...extraIndexUrls.map((url) => `--extra-index-url ${url}`),
    ...findLinks.map(
      (place) =>
        `--find-links ${/^https?:|^file:/.test(place) ? place : resolve(request.root, place)}`,
    ),
    ...(noIndex === true ? ["--no-index"] : []),
  ];
}

/** Writes a file that only this user reads. @throws ToolError `DISK_FULL`. */
export async function writePrivate(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600, flag: "wx" });
    await chmod(path, 0o600);
  } catch (error) {
    throw explainFullDisk(error, dirname(path));
  }
}

function parseKept(value: unknown): readonly LockedWheel[] | undefined {
  const wheels = (value as { readonly wheels?: unknown } | undefined)?.wheels;
  return Array.isArray(wheels) && wheels.every(isLockedWheel) ? wheels : undefined;
}

function isLockedWheel(value: unknown): value is LockedWheel {
  const { name, version, fileName, sha256, direct } = (value ?? {}) as Partial<
    Record<keyof LockedWheel, unknown>
  >;
  return (
    [name, version, fileName, sha256].every((field) => typeof field === "string") &&
    (direct === undefined || typeof direct === "string")
  );
}
