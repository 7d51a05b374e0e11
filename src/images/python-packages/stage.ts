import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import { createTempDir, type TempDir } from "../../ground/process/index.ts";
import type { LockedWheel, PythonContext, PythonRequest } from "./contracts.ts";
import { explainResolverError } from "./explain.ts";
import { findInstaller, type Installer } from "./installer.ts";
import { uvPlatformOf } from "./platform-tag.ts";
import { readRequirements } from "./requirements.ts";
import { indexLinesOf, pipTarget, strategyOf, writePrivate } from "./resolve.ts";
import { inspectWheel } from "./wheel-zip.ts";

/** Unpacks chosen wheels into folders of their own below one that goes away at the end. */
export interface Stage extends AsyncDisposable {
  /**
   * Installs the wheels side by side into a fresh folder, each checked against its hash before it is unpacked.
   * @throws ToolError `FILE_REFUSED`, `ARCHIVE_INVALID`, `LIMIT_EXCEEDED` for a hostile wheel on this machine; `PACKAGE_UNAVAILABLE`, `REQUIREMENTS_INVALID`, `REQUIREMENT_WITHOUT_WHEEL`, `TOOL_MISSING`.
   */
  install(wheels: readonly LockedWheel[]): Promise<string>;
}

/** Makes a stage below `context.workDir`. Nothing is started before the first `install`. */
export async function createStage(request: PythonRequest, context: PythonContext): Promise<Stage> {
  const folder = await createTempDir("stage", context.workDir);
  let installer: Promise<Installer> | undefined;
  let count = 0;
  return {
    async install(wheels) {
      installer ??= findInstaller(context.environment, context);
      count += 1;
      return installInto({ installer: await installer, folder, name: String(count) }, wheels, {
        request,
        context,
      });
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

interface InstallFolder {
  readonly installer: Installer;
  readonly folder: TempDir;
  readonly name: string;
}

async function installInto(
  place: InstallFolder,
  wheels: readonly LockedWheel[],
  asked: { readonly request: PythonRequest; readonly context: PythonContext },
): Promise<string> {
  const { request, context } = asked;
  const target = join(place.folder.path, place.name);
  const file = join(place.folder.path, `${place.name}.txt`);
  await mkdir(target);
  const index = [...indexLinesOf(request), ...readRequirements(request).indexLines];
  for (const wheel of wheels) await inspectLocal(wheel, index);
  await writePrivate(file, [...index, ...wheels.map(requirementOf), ""].join("\n"));
  const call = (more: readonly string[]): Promise<unknown> =>
    place.installer.call(
      ["pip", ...more, "--target", target, "--no-deps", "--require-hashes", "-r", file].slice(
        place.installer.kind === "uv" ? 0 : 1,
      ),
      { cwd: request.root, signal: context.signal },
    );
  try {
    if (place.installer.kind === "pip")
      await call([
        "install",
        "--quiet",
        "--no-compile",
        "--no-warn-script-location",
        ...pipTarget(request),
      ]);
    else await callUv(call, request, context.signal);
  } catch (error) {
    throw explainResolverError(error);
  }
  return target;
}

/** Wheels that lie on this machine are looked at before an installer unpacks them; those of an index come checked by their hash only. */
async function inspectLocal(
  { direct, fileName }: LockedWheel,
  indexLines: readonly string[],
): Promise<void> {
  const folders = indexLines
    .map((line) => /^--find-links (\/.*)$/.exec(line)?.[1])
    .filter((folder) => folder !== undefined);
  const places = direct === undefined ? folders.map((folder) => join(folder, fileName)) : [direct];
  for (const place of places) if (isAbsolute(place) && existsSync(place)) await inspectWheel(place);
}

/** The cache alone first: no index is asked for what is there, and it works without a network. */
async function callUv(
  call: (args: readonly string[]) => Promise<unknown>,
  request: PythonRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const target = [
    "--only-binary",
    ":all:",
    "--python-version",
    request.target.pythonVersion,
    "--python-platform",
    uvPlatformOf(request.target),
    ...strategyOf(request),
  ];
  const args = [
    "install",
    ...target,
    "--no-compile-bytecode",
    "--no-installer-metadata",
    "--no-progress",
  ];
  try {
    await call([...args, "--offline"]);
  } catch {
    // Something is not in the cache, or the call itself is wrong: the next one finds out which.
    signal?.throwIfAborted();
    await call(args); // says itself what is wrong when it fails too
  }
}

function requirementOf(wheel: LockedWheel): string {
  const { name, version, sha256, direct } = wheel;
  const where =
    direct === undefined
      ? `${name}==${version}`
      : `${name} @ ${isAbsolute(direct) ? pathToFileURL(direct).href : direct}`;
  return `${where} --hash=sha256:${sha256}`;
}
