import { posix } from "node:path";
import { isToolError, ToolError } from "../../../ground/errors/index.ts";
import { configOf, emptyImage, platformOfConfig, type RunConfig } from "../../oci/index.ts";
import { buildImages, DEFAULT_PATH, type BaseImage, type PackedImage } from "../../recipe/index.ts";
import type { DockerfileHost } from "../contracts.ts";
import { parseOnbuildTrigger, type Dockerfile } from "../syntax/parse-dockerfile.ts";
import type { SourcePosition } from "../syntax/place.ts";
import { createExtractedFiles, type ExtractedFiles } from "../tree/extracted-files.ts";
import { imageTree, type ImageTree } from "../tree/image-tree.ts";
import type { FolderNode } from "../tree/tree-node.ts";
import type { ArgValues, StageScope } from "./run-config.ts";
import { runSteps } from "./run-steps.ts";
import {
  createStageFiles,
  loadImageTree,
  type LayerReading,
  type StageFiles,
} from "./stage-files.ts";
import {
  resolveStages,
  type ResolvedStage,
  type StageGraph,
  type StageOptions,
} from "./stage-graph.ts";
import { recipeOfStage, type BuiltStep } from "./stage-recipe.ts";

/** What a build is made from. */
export interface BuildRequest extends StageOptions {
  readonly dockerfile: Dockerfile;
  /** The files that `COPY` and `ADD` see. */
  readonly context: FolderNode;
  /** Says why a path of the context may be missing. */
  explainMissing(path: string): Promise<string | undefined>;
  /** Time of every file: seconds since the epoch. */
  readonly epochS: number;
  /** Labels of the image beside those of the Dockerfile; of two with one name these hold. Default none. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** A file of the context that is in the image. */
export interface CopiedFile {
  /** Absolute path in the image. */
  readonly path: string;
  /** Absolute path on this machine. */
  readonly source: string;
  /** Bytes. */
  readonly size: number;
}

/** The image of a Dockerfile and what it stands on; `scratch` is an image without layers. */
export interface BuiltTarget {
  readonly image: PackedImage;
  readonly base: BaseImage;
  /** Files of the context that the target's own steps and those of stages below it copied; one a path. */
  readonly copied: readonly CopiedFile[];
}

/** A stage whose steps are done. */
export interface DoneStage {
  /** `undefined` for a stage on nothing. */
  readonly base: BaseImage | undefined;
  readonly platform: BaseImage["platform"];
  readonly scope: StageScope;
  readonly files: StageFiles;
  readonly steps: readonly BuiltStep[];
}

/** A build under way. Stages and images are opened when something needs them, once. */
export interface Build {
  readonly request: BuildRequest;
  readonly graph: StageGraph;
  readonly host: DockerfileHost;
  readonly reading: LayerReading;
  readonly extracted: ExtractedFiles;
  readonly values: ArgValues;
  stage(index: number): Promise<DoneStage>;
  /** The files of an image that a step copies from. */
  imageTree(
    name: string,
    platform: BaseImage["platform"],
    place: SourcePosition,
  ): Promise<ImageTree>;
  /** The stage as an image. */
  assemble(stage: DoneStage): Promise<PackedImage>;
}

/**
 * Builds the image of a Dockerfile's target. Stages that it does not need are not looked at. Steps that execute go to the host.
 * @throws ProjectError `DOCKERFILE_INVALID` with line and column; what opening images, reading files and executing throws.
 */
export async function buildTarget(
  request: BuildRequest,
  host: DockerfileHost,
): Promise<BuiltTarget> {
  const build = createBuild(request, host);
  const stage = labelled(await build.stage(build.graph.target.index), request.labels ?? {});
  return {
    image: await build.assemble(stage),
    base: stage.base ?? nothing(stage.platform),
    copied: copiedFiles(stage),
  };
}

function labelled(stage: DoneStage, labels: Readonly<Record<string, string>>): DoneStage {
  if (Object.keys(labels).length === 0) return stage;
  const { config } = stage.scope;
  const Labels = { ...config.Labels, ...labels };
  return { ...stage, scope: { ...stage.scope, config: { ...config, Labels } } };
}

function copiedFiles({ steps }: DoneStage): readonly CopiedFile[] {
  const files = new Map<string, CopiedFile>();
  for (const step of steps)
    for (const { path, node } of step.kind === "files" ? step.entries : [])
      if (node.kind === "file" && node.content.kind === "file")
        files.set(path, { path: `/${path}`, source: node.content.path, size: node.size });
  return [...files.values()];
}

function createBuild(request: BuildRequest, host: DockerfileHost): Build {
  const graph = resolveStages(request.dockerfile, request);
  const stages = new Map<number, Promise<DoneStage>>();
  const trees = new Map<string, Promise<ImageTree>>();
  const reading: LayerReading = { cache: host.pack.cache("tar-index"), signal: host.pack.signal };
  const build: Build = {
    request,
    graph,
    host,
    reading,
    extracted: createExtractedFiles(posix.join(host.pack.cacheDir, "extracted-files")),
    values: {
      buildArgs: request.buildArgs,
      globals: graph.globals,
      escape: request.dockerfile.escape,
    },
    stage(index) {
      const known = stages.get(index) ?? buildStage(build, graph.stages[index] as ResolvedStage); // callers name stages of the graph
      stages.set(index, known);
      return known;
    },
    imageTree(name, platform, place) {
      const key = `${name} ${platform.os}/${platform.architecture}`;
      const known =
        trees.get(key) ??
        openAt(build, { name, platform, place }).then(({ image }) => loadImageTree(image, reading));
      trees.set(key, known);
      return known;
    },
    assemble: (stage) => assemble(build, stage),
  };
  return build;
}

async function buildStage(build: Build, stage: ResolvedStage): Promise<DoneStage> {
  const begun = await beginStage(build, stage);
  const triggers = begun.triggers.map((text) => parseOnbuildTrigger(text, stage.from.place));
  return runSteps(build, stage, { ...begun, steps: begun.done }, [...triggers, ...stage.steps]);
}

interface BegunStage extends Omit<DoneStage, "steps"> {
  readonly done: readonly BuiltStep[];
  /** `ONBUILD` of what it stands on. */
  readonly triggers: readonly string[];
}

async function beginStage(build: Build, stage: ResolvedStage): Promise<BegunStage> {
  const { base, platform } = stage;
  switch (base.kind) {
    case "scratch":
      return {
        base: undefined,
        platform: build.request.platform,
        scope: scopeOf({ WorkingDir: "/" }, undefined, new Map()),
        files: createStageFiles(() => Promise.resolve(imageTree()), build.reading),
        done: [],
        triggers: [],
      };
    case "image": {
      const opened = await openAt(build, { name: base.name, platform, place: stage.from.place });
      const { author, config = {}, ...about } = await configOf(opened.image, build.reading);
      return {
        base: opened,
        platform: platformOfConfig(about),
        scope: scopeOf(withoutTriggers(config), author, new Map()),
        files: createStageFiles(() => readBase(build, opened), build.reading),
        done: [],
        triggers: config.OnBuild ?? [],
      };
    }
    case "stage": {
      const parent = await build.stage(base.index);
      const { config, author, variables } = parent.scope;
      return {
        ...parent,
        scope: scopeOf(withoutTriggers(config), author, variables),
        files: createStageFiles(async () => (await parent.files.tree()).clone(), build.reading),
        done: parent.steps,
        triggers: config.OnBuild ?? [],
      };
    }
  }
}

function readBase(build: Build, base: BaseImage): Promise<ImageTree> {
  return loadImageTree(base.image, build.reading);
}

/** Triggers are for one generation. */
function withoutTriggers(config: RunConfig): RunConfig {
  return Object.fromEntries(Object.entries(config).filter(([field]) => field !== "OnBuild"));
}

/** PATH is always set; the image's own variables win over what a stage below has named. */
function scopeOf(
  config: RunConfig,
  author: string | undefined,
  inherited: ReadonlyMap<string, string>,
): StageScope {
  const env = config.Env ?? [];
  const Env = env.some((entry) => entry.startsWith("PATH="))
    ? env
    : [...env, `PATH=${DEFAULT_PATH}`];
  const own = Env.map((entry): readonly [string, string] => {
    const sign = entry.indexOf("=");
    return sign < 0 ? [entry, ""] : [entry.slice(0, sign), entry.slice(sign + 1)];
  });
  const folder = config.WorkingDir ?? "";
  return {
    config: {
      ...config,
      Env,
      ...(folder === "" ? {} : { WorkingDir: posix.resolve("/", folder) }),
    },
    author,
    variables: new Map([...inherited, ...own]),
    hasCommand: false,
  };
}

/** Opens an image; what goes wrong is told with the place that names it. */
async function openAt(
  { host }: Build,
  about: {
    readonly name: string;
    readonly platform: BaseImage["platform"];
    readonly place: SourcePosition;
  },
): Promise<BaseImage> {
  const { name, platform, place } = about;
  try {
    return await host.openImage(name, platform);
  } catch (error) {
    if (!isToolError(error) || error.code === "INTERRUPTED") throw error;
    throw new ToolError(
      error.code,
      `build ${place.file}:${place.line}:${place.column}: "${name}": ${error.message}`,
      { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) },
    );
  }
}

async function assemble(build: Build, stage: DoneStage): Promise<PackedImage> {
  const base = stage.base ?? nothing(stage.platform);
  const recipe = await recipeOfStage(
    { steps: stage.steps, scope: stage.scope, epochS: build.request.epochS },
    { image: base, config: await configOf(base.image, build.reading) },
    build.extracted,
  );
  const [packed] = await buildImages([{ recipe, base }], build.host.pack);
  return packed as PackedImage; // one image an order
}

/** What `FROM scratch` stands on. */
function nothing(platform: BaseImage["platform"]): BaseImage {
  return {
    image: emptyImage(platform),
    platform,
    facts: { sonames: [], directories: {} },
    name: "scratch",
    digest: `sha256:${"0".repeat(64)}`,
  };
}
