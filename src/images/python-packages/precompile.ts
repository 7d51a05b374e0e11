import { existsSync, statSync } from "node:fs";
import { posix } from "node:path";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import { type CallOptions } from "../../ground/bytes/index.ts";
import { run } from "../../ground/process/index.ts";
import type { PythonContext } from "./contracts.ts";
import type { PackageFile, UnpackedWheel } from "./tree.ts";

/** A Python of this machine that compiles sources for the image. */
export interface Compiler {
  /** Program that is started. */
  readonly python: string;
  /** Its whole version text: bytecode is the same for equal ones only. */
  readonly version: string;
  /** Part of the compiled files' names, `cpython-311`. */
  readonly cacheTag: string;
}

type Environment = PythonContext["environment"];

/**
 * Looks at a Python that is to compile for the image.
 * @throws ToolError `TOOL_MISSING` when it cannot be started or is of another minor version than the image's, whose bytecode differs.
 */
export async function openCompiler(
  python: string,
  pythonVersion: string,
  context: Pick<PythonContext, "environment" | "signal">,
): Promise<Compiler> {
  const source =
    "import sys; print('%d.%d' % sys.version_info[:2]); print(sys.implementation.cache_tag); print(' '.join(sys.version.split()))";
  const answer = await run([python, "-I", "-c", source], {
    env: context.environment,
    signal: context.signal,
    timeoutMs: 30_000,
  }).catch((error: unknown) => {
    if (isToolError(error) && error.code === "PROCESS_FAILED") return undefined;
    throw error;
  });
  const [found, cacheTag, version] = answer?.stdout.toString("utf8").split("\n") ?? [];
  if (found === pythonVersion && cacheTag !== undefined && version !== undefined)
    return { python, version, cacheTag };
  throw new ToolError(
    "TOOL_MISSING",
    `compile Python packages for ${pythonVersion}: "${python}" is ${found === undefined || found === "" ? "no Python that runs" : `Python ${found}`}`,
    {
      hint: `give a Python ${pythonVersion} of this machine, or leave the packages uncompiled`,
    },
  );
}

/**
 * Compiles the sources of unpacked wheels beside them and gives the compiled files. They carry no time and are not checked against
 * their sources when loaded (PEP 552, unchecked hash), so they hold whatever times the image's files have. Sources that do not
 * compile, such as templates, are left out. The same sources and compiler give the same bytes.
 */
export async function precompile(
  wheels: readonly UnpackedWheel[],
  compiler: Compiler,
  place: CallOptions & { readonly sitePackages: string; readonly environment: Environment },
): Promise<readonly PackageFile[]> {
  const sources = wheels
    .flatMap(({ files }) => files)
    .flatMap(({ path, content }) =>
      path.endsWith(".py") && "file" in content ? [{ path, file: content.file }] : [],
    );
  for (const [root, files] of Map.groupBy(sources, ({ path, file }) => file.slice(0, -path.length)))
    await compile(
      files.map(({ file }) => file),
      { ...place, root, compiler },
    );
  return sources.flatMap(({ path, file }) => {
    const compiled = pathOfCompiled(file, compiler);
    if (!existsSync(compiled)) return [];
    return [
      {
        path: pathOfCompiled(path, compiler),
        size: statSync(compiled).size,
        isExecutable: false,
        content: { file: compiled },
      },
    ];
  });
}

interface Job extends CallOptions {
  readonly root: string;
  readonly compiler: Compiler;
  readonly sitePackages: string;
  readonly environment: Environment;
}

async function compile(
  files: readonly string[],
  { root, compiler, sitePackages, environment, signal }: Job,
): Promise<void> {
  const names = ["-s", root, "-p", `${sitePackages}/`]; // tracebacks show the place in the image
  const env = {
    ...environment,
    PYTHONHASHSEED: "0",
    PYTHONDONTWRITEBYTECODE: undefined,
    PYTHONPYCACHEPREFIX: undefined,
    PYTHONOPTIMIZE: undefined,
  };
  const command = [
    compiler.python,
    "-m",
    "compileall",
    "-qq",
    "-f",
    "-j",
    "0",
    "--invalidation-mode",
    "unchecked-hash",
    ...names,
    "-i",
    "-",
  ] as const;
  await run([...command], { env, signal, stdin: `${files.join("\n")}\n`, allowFailure: true });
}

function pathOfCompiled(source: string, { cacheTag }: Compiler): string {
  return posix.join(
    posix.dirname(source),
    "__pycache__",
    `${posix.basename(source, ".py")}.${cacheTag}.pyc`,
  );
}
