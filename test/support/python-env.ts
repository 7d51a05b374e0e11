import { createHash } from "node:crypto";
import { access, mkdir, rename, rm, symlink } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import { run } from "../../src/ground/process/index.ts";

export interface PythonEnvRequest {
  /** Interpreter to build on, a path or a name on PATH. Default `python3`. */
  readonly python?: string;
  /** Requirements as pip takes them, such as `numpy` or `onnx==1.17.0`. */
  readonly packages: readonly string[];
}

export interface PythonEnv {
  /** Absolute path of the interpreter. */
  readonly python: string;
  /** Folder of the interpreter and of the packages' scripts. */
  readonly bin: string;
}

/**
 * A Python environment that has `packages`, made once and kept in `$XDG_CACHE_HOME/slipway-test/venvs`. Safe to ask for
 * from several processes at once. Skips the test and gives `undefined` when there is no Python or the packages
 * cannot be had; with `SLIPWAY_REQUIRE_PEERS=1` the test fails instead.
 */
export async function pythonEnv(
  t: TestContext,
  request: PythonEnvRequest,
): Promise<PythonEnv | undefined> {
  return withReason(t, `python with ${request.packages.join(", ") || "nothing"}`, () =>
    keptPython(request),
  );
}

/** Path of `uv`: the one on PATH, else one from a kept environment. Skips like `pythonEnv` when there is none. */
export async function requireUv(t: TestContext): Promise<string | undefined> {
  return withReason(t, "uv", findUvForTests);
}

/** The same outside a test. @throws ToolError when there is no Python to make it with. */
export async function keptUv(): Promise<string> {
  return findUvForTests();
}

async function withReason<T>(
  t: TestContext,
  what: string,
  make: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    if (process.env["SLIPWAY_REQUIRE_PEERS"] === "1") throw error;
    t.skip(`no ${what}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

async function findUvForTests(): Promise<string> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    if (folder !== "" && (await exists(join(folder, "uv")))) return join(folder, "uv");
  }
  return join((await keptPython({ packages: ["uv"] })).bin, "uv");
}

/** The same outside of tests. Rejects when there is no Python or the packages cannot be had. */
export async function keptPython(request: PythonEnvRequest): Promise<PythonEnv> {
  const python = request.python ?? "python3";
  const { stdout } = await run(
    [
      python,
      "-c",
      "import sys, sysconfig; print(sys.version, sysconfig.get_platform(), sys.base_prefix)",
    ],
    { timeoutMs: 60_000 },
  );
  const key = createHash("sha256")
    .update(JSON.stringify([stdout.toString(), request.packages.toSorted()]))
    .digest("hex")
    .slice(0, 16);
  const parent = join(
    process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
    "slipway-test",
    "venvs",
  );
  const link = join(parent, key);
  if (!(await exists(join(link, "bin", "python")))) await make(link, python, request.packages);
  return { python: join(link, "bin", "python"), bin: join(link, "bin") };
}

/**
 * Builds under a name of its own and points the link at it in one step: an environment cannot be moved once made, and
 * with a lock a killed test would block the next. Two makers at once do the work twice; the last link wins and both work.
 */
async function make(link: string, python: string, packages: readonly string[]): Promise<void> {
  const folder = `${link}-${process.pid}-${createHash("sha256").update(String(process.hrtime.bigint())).digest("hex").slice(0, 6)}`;
  try {
    await mkdir(join(link, ".."), { recursive: true });
    await build(folder, python, packages);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  await symlink(basename(folder), `${folder}.link`);
  await rename(`${folder}.link`, link);
}

async function build(folder: string, python: string, packages: readonly string[]): Promise<void> {
  const timeoutMs = 600_000;
  const isTool = packages.length === 1 && packages[0] === "uv";
  if (isTool) {
    await run([python, "-m", "venv", folder], { timeoutMs });
    await run([join(folder, "bin", "python"), "-m", "pip", "install", "--quiet", ...packages], {
      timeoutMs,
    });
    return;
  }
  const uv = await findUvForTests();
  await run([uv, "venv", "--quiet", "--python", python, folder], { timeoutMs });
  if (packages.length > 0)
    await run(
      [uv, "pip", "install", "--quiet", "--python", join(folder, "bin", "python"), ...packages],
      { timeoutMs },
    );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
