import { lstat, readFile, realpath, stat } from "node:fs/promises";
import { arch } from "node:os";
import { join, relative, resolve } from "node:path";
import { ProjectError, ToolError } from "../../ground/errors/index.ts";
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
import type { Context } from "../context.ts";
import { epochOf } from "../options.ts";
import { deliver, referenceOf, reportDelivery } from "../pack/deliver.ts";
import { registryNames } from "../pack/forecast.ts";
import { packContextOf } from "../pack/pack-context.ts";
import { parseOutput } from "../pack/pack-project.ts";
import { move } from "../places/move.ts";
import { openStore } from "../places/places.ts";
import { warnOfPython2 } from "./check-python.ts";
import { BUILDER_KINDS, type BuilderKind } from "./find-builder.ts";
import { handOver } from "./hand-over.ts";
import { warnOfHosts } from "./host-warnings.ts";
import { openImages } from "./open-images.ts";

/** What a build is asked for. */
export interface BuildFlags {
  readonly tag?: readonly string[];
  /** The Dockerfile; default `Dockerfile` of the context. */
  readonly file?: string;
  /** `NAME=VALUE`, or `NAME` for the value of the environment. */
  readonly buildArg?: readonly string[];
  readonly target?: string;
  readonly platform?: readonly string[];
  /** `id=NAME,src=FILE`, for steps that execute. */
  readonly secret?: readonly string[];
  /** Who runs steps that execute; default the first that is there. */
  readonly builder?: string;
  /** False to run executing steps again that were run before. */
  readonly cache?: boolean;
  readonly push?: boolean;
  readonly output?: readonly string[];
}

/** Builds an image from a Dockerfile, keeps it in the store, and takes it where the flags say. */
export async function buildDockerfile(
  folder: string,
  flags: BuildFlags,
  context: Context,
): Promise<void> {
  const startedAt = performance.now();
  const outputs = (flags.output ?? []).map(parseOutput);
  const source = await readSource(folder, flags, context);
  const names = namesOf(flags);
  await using store = await openStore(context);
  await using pool = createDeflatePool();
  await using images = openImages(context);
  const pack = packContextOf(store, pool, context);
  await warnOfHosts(
    { bases: source.dockerfile.stages.map(({ from }) => from.base), tags: names },
    context,
  );
  const packed: BuiltTarget[] = [];
  for (const platform of platformsOf(flags))
    packed.push(
      await buildFor(source, {
        platform,
        flags,
        context,
        host: {
          pack,
          openImage: (name, wanted) => images.open(name, wanted),
          execute: (handover) =>
            handOver(handover, {
              context,
              pack,
              folder: source.folder,
              ignoreFile: source.ignore.path,
              secrets: flags.secret ?? [],
              prefer: builderOf(flags),
              usesCache: flags.cache !== false,
            }),
        },
      }),
    );
  await warnOfPython2(packed[0]?.copied ?? [], packed[0]?.base.name ?? "", context);
  const isPush = flags.push === true;
  const delivered = await deliver({ packed, names, isPush, store, context });
  for (const output of outputs) {
    if (output.startsWith("oci:")) context.reporter.step(`writing ${output}`);
    await move({ from: names[0] ?? "", to: output, isFromStore: true }, context);
  }
  reportDelivery(context, { ...delivered, packed, names, isPush, startedAt });
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
  flags: BuildFlags,
  context: Context,
): Promise<BuildSource> {
  const root = await contextFolder(resolve(context.cwd, folder));
  const path =
    flags.file === undefined ? join(root, "Dockerfile") : resolve(context.cwd, flags.file);
  const shown = flags.file ?? relative(context.cwd, path);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new ProjectError("PROJECT_NOT_FOUND", `build "${shown}": there is no such Dockerfile`, {
      cause: error,
      file: shown,
      hint: "name it with -f",
    });
  });
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
  readonly flags: BuildFlags;
  readonly context: Context;
  readonly host: Parameters<typeof buildTarget>[1];
}

async function buildFor(
  { dockerfile, folder, ignore }: BuildSource,
  { platform, flags, context, host }: PlatformBuild,
): Promise<BuiltTarget> {
  const buildArgs = buildArgsOf(flags.buildArg ?? [], context);
  return buildTarget(
    {
      dockerfile,
      buildArgs,
      target: flags.target,
      platform,
      buildPlatform: { os: "linux", architecture: arch() === "x64" ? "amd64" : arch() },
      context: contextTree(folder, {
        ignored: ignore.patterns,
        signal: context.signal,
      }),
      explainMissing: (path) => explainMissing({ dockerfile, folder, ignore }, path),
      epochS: epochOf(buildArgs.get("SOURCE_DATE_EPOCH") ?? context.env["SOURCE_DATE_EPOCH"]),
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

/** @throws ToolError `USAGE`. */
function buildArgsOf(entries: readonly string[], { env }: Context): ReadonlyMap<string, string> {
  const args = new Map<string, string>();
  for (const entry of entries) {
    const sign = entry.indexOf("=");
    const name = sign < 0 ? entry : entry.slice(0, sign);
    if (name === "") throw new ToolError("USAGE", "--build-arg: it is not NAME=VALUE");
    const value = sign < 0 ? env[name] : entry.slice(sign + 1);
    if (value !== undefined) args.set(name, value);
  }
  return args;
}

/** @throws ToolError `USAGE`. */
function builderOf({ builder }: BuildFlags): BuilderKind | undefined {
  if (builder === undefined) return undefined;
  const kind = BUILDER_KINDS.find((known) => known === builder);
  if (kind !== undefined) return kind;
  throw new ToolError("USAGE", `build --builder "${builder}": there is no such builder`, {
    hint: `name one of ${BUILDER_KINDS.join(", ")}`,
  });
}

function platformsOf({ platform }: BuildFlags): readonly Platform[] {
  const named = platform?.flatMap((text) => text.split(",")) ?? ["linux/amd64"];
  return [...new Set(named)].map(parsePlatform);
}

function namesOf({ tag, push }: BuildFlags): readonly string[] {
  const names = tag ?? ["store:build"];
  for (const name of names) referenceOf(name);
  if (push === true && registryNames(names).length === 0)
    throw new ToolError("USAGE", "build --push: no name is in a registry", {
      hint: "name one: -t HOST/REPOSITORY:TAG",
    });
  return names;
}
