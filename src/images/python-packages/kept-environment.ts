import { createHash } from "node:crypto";
import { access, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { explainFullDisk, ToolError } from "../../ground/errors/index.ts";
import { createTempDir, run, withFileLock } from "../../ground/process/index.ts";
import type { PythonContext, WantedPackages } from "./contracts.ts";
import { forgetUse, markUse } from "./environment-use.ts";
import { explainResolverError, isNetworkError } from "./explain.ts";
import { findUv, type Installer } from "./installer.ts";
import { readRequirements } from "./requirements.ts";
import { decidingSettings, requirementsText, strategyOf, writePrivate } from "./resolve.ts";

/** Packages that are wanted for a Python of this machine. */
export interface EnvironmentRequest extends WantedPackages {
  /** What the environment is made on: an interpreter, by path or by name, or a version such as `3.11`, which uv looks for. */
  readonly python: string;
  /** Absolute folder that environments are kept in. */
  readonly parent: string;
}

/** What making an environment needs from outside. */
export interface EnvironmentContext extends Pick<PythonContext, "environment" | "signal"> {
  /** Told when packages are going to be installed; not called for an environment that is there. */
  readonly onInstall?: (() => void) | undefined;
}

/** Goes up when environments of older versions must not be used again. */
const LAYOUT_VERSION = 1;
/** Longest wait for another process that makes the same environment, in ms. */
const LOCK_TIMEOUT_MS = 1_800_000;
const QUESTION_TIMEOUT_MS = 60_000;
/** Differs between interpreters that do not take the same wheels, or lie in other places. */
const QUESTION =
  "import platform, sys, sysconfig; print([sys.version, sysconfig.get_platform(), platform.libc_ver(), sys.base_prefix])";

/**
 * A Python environment of this machine that has the packages. It is kept by what the requirements say and by the exact Python, and used
 * again while these stay; several processes may ask for it at once. It is made beside its place and moved there whole. Only wheels are
 * taken, as for images.
 * @returns the absolute path of its interpreter; `undefined` when no package is asked for.
 * @throws ToolError `TOOL_MISSING` without uv or that Python; `REQUIREMENT_WITHOUT_WHEEL`, `REQUIREMENTS_INVALID`, `PACKAGE_UNAVAILABLE`,
 *   `DISK_FULL`, `TIMEOUT`.
 */
export async function keepEnvironment(
  request: EnvironmentRequest,
  context: EnvironmentContext,
): Promise<string | undefined> {
  const requirements = readRequirements(request);
  if (requirements.isEmpty) return undefined;
  const base = await findBase(request, context);
  const name = environmentName(
    request,
    { digest: requirements.digest, about: base.about },
    context,
  );
  const folder = join(request.parent, name);
  const python = join(folder, "bin", "python");
  await makeFolder(request.parent);
  await markUse(folder);
  if (await isThere(python)) return python;
  try {
    const uv = await findUv(context.environment, context);
    const { signal } = context;
    await withFileLock(
      `${folder}.lock`,
      async () => {
        if (await isThere(python)) return;
        await removeLeftovers(request.parent, name);
        context.onInstall?.();
        await makeEnvironment(folder, { uv, python: base.python, request, signal });
      },
      { timeoutMs: LOCK_TIMEOUT_MS, signal },
    );
  } catch (error) {
    await forgetUse(folder);
    throw error;
  }
  return python;
}

interface BasePython {
  readonly python: string;
  /** What it says of itself. */
  readonly about: string;
}

async function findBase(
  { python: named, root }: EnvironmentRequest,
  { environment, signal }: EnvironmentContext,
): Promise<BasePython> {
  const python = /^\d+(\.\d+)*$/.test(named)
    ? await findVersion(named, { root, environment, signal })
    : named;
  const { stdout } = await run([python, "-c", QUESTION], {
    env: environment,
    cwd: root,
    signal,
    timeoutMs: QUESTION_TIMEOUT_MS,
  });
  return { python, about: stdout.toString("utf8") };
}

async function findVersion(
  version: string,
  { root, environment, signal }: EnvironmentContext & Pick<EnvironmentRequest, "root">,
): Promise<string> {
  const uv = await findUv(environment, { signal });
  try {
    const { stdout } = await uv.call(["python", "find", "--no-project", version], {
      cwd: root,
      signal,
    });
    return stdout.toString("utf8").trim();
  } catch (error) {
    signal?.throwIfAborted();
    throw new ToolError("TOOL_MISSING", `find Python ${version}: uv finds none on this machine`, {
      cause: error,
      hint: `install it (\`uv python install ${version}\`), or name an interpreter with --python`,
    });
  }
}

/** Hashed whole, so that credentials in it do not reach the disk. */
function environmentName(
  { indexes = {} }: EnvironmentRequest,
  { digest, about }: { readonly digest: string; readonly about: string },
  { environment }: EnvironmentContext,
): string {
  const facts = [LAYOUT_VERSION, digest, about, indexes, decidingSettings(environment)];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 32);
}

interface Making {
  readonly uv: Installer;
  readonly python: string;
  readonly request: EnvironmentRequest;
  readonly signal: AbortSignal | undefined;
}

async function makeEnvironment(folder: string, making: Making): Promise<void> {
  const { uv, python, request, signal } = making;
  await using draft = await createTempDir(`.${basename(folder)}`, request.parent);
  const made = join(draft.path, "environment");
  const file = join(draft.path, "requirements.txt");
  await writePrivate(file, requirementsText(request));
  const options = { cwd: request.root, signal };
  const venv = ["venv", "--quiet", "--no-project", "--relocatable", "--python", python, made];
  const install = ["pip", "install", "--python", join(made, "bin", "python"), "--only-binary"];
  const args = [...install, ":all:", "--no-progress", ...strategyOf(request), "-r", file];
  try {
    await uv.call(venv, options);
    await uv.call(args, options).catch(async (error: unknown) => {
      if (!isNetworkError(error)) throw error;
      return uv.call([...args, "--offline"], options).catch(() => Promise.reject(error)); // the first failure says more
    });
  } catch (error) {
    throw explainResolverError(error);
  }
  await rm(folder, { recursive: true, force: true }); // one whose Python is gone
  await rename(made, folder);
}

/** Where processes that were ended left what they had made so far; the caller has the lock, so nobody is at it. */
async function removeLeftovers(parent: string, name: string): Promise<void> {
  const names = (await readdir(parent)).filter((one) => one.startsWith(`.${name}-`));
  for (const one of names) await rm(join(parent, one), { recursive: true, force: true });
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw explainFullDisk(error, path);
  });
}

/** Links are followed: an environment whose Python is gone is not there. */
async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
