import { lstat, readFile, realpath, stat } from "node:fs/promises";
import { arch } from "node:os";
import { join, relative, resolve } from "node:path";
import { ProjectError, ToolError } from "../../ground/errors/index.ts";
import { writeFileAtomic } from "../../ground/process/index.ts";
import { createDeflatePool } from "../../images/compress/index.ts";
import {
  buildTarget,
  contextTree,
  parseDockerfile,
  readIgnoreFile,
  type BuiltTarget,
  type Dockerfile,
  type IgnoreFile,
} from "../../images/dockerfile/index.ts";
import { parsePlatform, type Platform } from "../../images/oci/index.ts";
import type { Session, Surroundings } from "../session.ts";
import type { ImagesResult } from "../results.ts";
import { epochOf } from "../settings.ts";
import { deliver, deliveryResult, referenceOf } from "../pack/deliver.ts";
import { registryNames } from "../pack/forecast.ts";
import { packContextOf } from "../pack/pack-context.ts";
import { move } from "../places/move.ts";
import { parseOutput } from "../places/names.ts";
import { openStore } from "../places/places.ts";
import { warnOfPythonTwo } from "../python/warn-of-python-two.ts";
import { BUILDER_KINDS, type BuilderKind } from "./find-builder.ts";
import { handOver } from "./hand-over.ts";
import { warnOfHosts } from "./host-warnings.ts";
import { openImages } from "./open-images.ts";

/** What a build is asked for. */
export interface BuildRequest {
  readonly names?: readonly string[] | undefined;
  /** The Dockerfile; default `Dockerfile` of the context. */
  readonly file?: string | undefined;
  /** The text of the Dockerfile, in place of a file. Lines of errors are those of `-`. */
  readonly text?: string | undefined;
  /** `NAME=VALUE`; a label of the Dockerfile with that name gives way. */
  readonly label?: readonly string[] | undefined;
  /** A file that gets the digest of the image, or of the index over several platforms. */
  readonly iidfile?: string | undefined;
  /** `NAME=VALUE`, or `NAME` for the value of the environment. */
  readonly buildArg?: readonly string[] | undefined;
  readonly target?: string | undefined;
  readonly platforms?: readonly string[] | undefined;
  /** `id=NAME,src=FILE`, for steps that execute. */
  readonly secret?: readonly string[] | undefined;
  /** Who runs steps that execute; default the first that is there. */
  readonly builder?: string | undefined;
  /** False to run executing steps again that were run before. */
  readonly usesCache?: boolean | undefined;
  readonly isPush?: boolean | undefined;
  readonly outputs?: readonly string[] | undefined;
}

/**
 * Builds an image from a Dockerfile, keeps it in the store, and takes it where the request says.
 * @throws ToolError `PROJECT_NOT_FOUND`, `PROJECT_INVALID`, `USAGE`, and what running steps and pushing throws.
 */
export async function buildDockerfile(
  folder: string,
  request: BuildRequest,
  session: Session,
): Promise<ImagesResult> {
  const startedAt = performance.now();
  const outputs = (request.outputs ?? []).map(parseOutput);
  const source = await readSource(folder, request, session);
  const names = wantedNames(request);
  await using store = await openStore(session);
  await using pool = createDeflatePool();
  await using images = openImages(session);
  const pack = packContextOf(store, pool, session);
  await warnOfHosts(
    { bases: source.dockerfile.stages.map(({ from }) => from.base), tags: names },
    session,
  );
  const packed: BuiltTarget[] = [];
  for (const platform of platformsOf(request))
    packed.push(
      await buildFor(source, {
        platform,
        request,
        session,
        host: {
          pack,
          openImage: (name, wanted) => images.open(name, wanted),
          execute: (handover) =>
            handOver(handover, {
              session,
              pack,
              folder: source.folder,
              ignoreFile: source.ignore.path,
              secrets: request.secret ?? [],
              prefer: builderOf(request),
              usesCache: request.usesCache !== false,
            }),
        },
      }),
    );
  await warnOfPythonTwo(packed[0]?.copied ?? [], packed[0]?.base.name ?? "", session);
  const isPush = request.isPush === true;
  const delivered = await deliver({ packed, names, isPush, store, session });
  for (const output of outputs) {
    if (output.startsWith("oci:")) session.emit({ kind: "step", text: `writing ${output}` });
    await move({ from: names[0] ?? "", to: output, isFromStore: true }, session);
  }
  if (request.iidfile !== undefined)
    await writeFileAtomic(resolve(session.cwd, request.iidfile), delivered.descriptor.digest);
  return await deliveryResult(delivered, { packed, names, startedAt });
}

/** What the user has on disk. */
interface BuildSource {
  readonly dockerfile: Dockerfile;
  /** Absolute. */
  readonly folder: string;
  readonly ignore: IgnoreFile;
}

async function readSource(
  folder: string,
  request: BuildRequest,
  session: Session,
): Promise<BuildSource> {
  const root = await contextFolder(resolve(session.cwd, folder));
  const path =
    request.file === undefined || request.text !== undefined
      ? join(root, "Dockerfile")
      : resolve(session.cwd, request.file);
  const shown = request.text === undefined ? (request.file ?? relative(session.cwd, path)) : "-";
  const text =
    request.text ??
    (await readFile(path, "utf8").catch((error: unknown) => {
      throw new ProjectError("PROJECT_NOT_FOUND", `build "${shown}": there is no such Dockerfile`, {
        cause: error,
        file: shown,
        hint: "name it with -f",
      });
    }));
  return {
    dockerfile: parseDockerfile(text, shown),
    folder: root,
    ignore: await readIgnoreFile(path, root),
  };
}

async function contextFolder(path: string): Promise<string> {
  const real = await realpath(path).catch((error: unknown) => {
    throw new ToolError("PROJECT_NOT_FOUND", `build "${path}": there is no such folder`, {
      cause: error,
    });
  });
  if (!(await stat(real)).isDirectory())
    throw new ToolError("PROJECT_NOT_FOUND", `build "${path}": the build context is no folder`);
  return real;
}

interface PlatformBuild {
  readonly platform: Platform;
  readonly request: BuildRequest;
  readonly session: Session;
  readonly host: Parameters<typeof buildTarget>[1];
}

async function buildFor(
  { dockerfile, folder, ignore }: BuildSource,
  { platform, request, session, host }: PlatformBuild,
): Promise<BuiltTarget> {
  const buildArgs = assignments("--build-arg", request.buildArg ?? [], session);
  const labels = Object.fromEntries(assignments("--label", request.label ?? [], session));
  return buildTarget(
    {
      dockerfile,
      buildArgs,
      target: request.target,
      platform,
      buildPlatform: { os: "linux", architecture: arch() === "x64" ? "amd64" : arch() },
      context: contextTree(folder, {
        ignored: ignore.patterns,
        signal: session.signal,
      }),
      labels,
      explainMissing: (path) => explainMissing({ dockerfile, folder, ignore }, path),
      epochS: epochOf(
        buildArgs.get("SOURCE_DATE_EPOCH") ?? session.environment["SOURCE_DATE_EPOCH"],
      ),
    },
    host,
  );
}

async function explainMissing(
  { folder, ignore }: BuildSource,
  path: string,
): Promise<string | undefined> {
  const isThere = await lstat(join(folder, path)).then(
    () => true,
    () => false,
  );
  if (!isThere) return "it is not in the build context";
  return ignore.path === undefined
    ? undefined
    : `it is left out by "${relative(folder, ignore.path)}"`;
}

/** `NAME=VALUE`, and `NAME` for a value of the environment. @throws ToolError `USAGE`. */
function assignments(
  flag: string,
  entries: readonly string[],
  { environment: env }: Surroundings,
): ReadonlyMap<string, string> {
  const args = new Map<string, string>();
  for (const entry of entries) {
    const sign = entry.indexOf("=");
    const name = sign < 0 ? entry : entry.slice(0, sign);
    if (name === "") throw new ToolError("USAGE", `${flag} "${entry}": it is not NAME=VALUE`);
    const value = sign < 0 ? env[name] : entry.slice(sign + 1);
    if (value !== undefined) args.set(name, value);
  }
  return args;
}

/** @throws ToolError `USAGE`. */
function builderOf({ builder }: BuildRequest): BuilderKind | undefined {
  if (builder === undefined) return undefined;
  const kind = BUILDER_KINDS.find((known) => known === builder);
  if (kind !== undefined) return kind;
  throw new ToolError("USAGE", `build --builder "${builder}": there is no such builder`, {
    hint: `name one of ${BUILDER_KINDS.join(", ")}`,
  });
}

function platformsOf({ platforms }: BuildRequest): readonly Platform[] {
  const named = platforms ?? ["linux/amd64"];
  return [...new Set(named)].map(parsePlatform);
}

function wantedNames({ names: asked, isPush }: BuildRequest): readonly string[] {
  const names = asked ?? ["store:build"];
  for (const name of names) referenceOf(name);
  if (isPush === true && registryNames(names).length === 0)
    throw new ToolError("USAGE", "build --push: no name is in a registry", {
      hint: "name one: -t HOST/REPOSITORY:TAG",
    });
  return names;
}
