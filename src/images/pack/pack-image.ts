import { posix, relative } from "node:path";
import { printDescription, type ModelDescription } from "../../models/description/index.ts";
import { runtimeOf } from "../../models/kinds/index.ts";
import {
  annotate,
  appendLayers,
  mutateConfig,
  toOci,
  type Layer,
  type LayerAddition,
} from "../oci/index.ts";
import { checkBase } from "./base/check-base.ts";
import type {
  BaseImage,
  PackContext,
  PackedImage,
  PackProject,
  PlannedLayer,
} from "./contracts.ts";
import { refuseSecrets } from "./context/find-secrets.ts";
import { folderOf, metadataOf, runConfig, timeOf } from "./image-config.ts";
import { layerEntries, type LayerFile } from "./layers/layer-tree.ts";
import {
  buildPythonLayers,
  DEFAULT_SITE_PACKAGES,
  sitePathSource,
  type PythonLayers,
} from "../python-packages/index.ts";
import { plannedLayer, withBaseLayers } from "./layers/planned-layers.ts";
import { smallLayer, type SmallLayerContext } from "./layers/small-layer.ts";
import { nodeLayer, onnxRuntimeLayer, serverLayer } from "./layers/tool-layers.ts";
import { walkTree, type WalkedFile } from "./context/walk.ts";
import { weightLayer, type WeightLayerContext } from "./layers/weight-layer.ts";

/** A file from this size on is a weight, whatever its name. */
const LARGE_BYTES = 8 * 2 ** 20;
/** Large files that get a layer of their own; more are put together. */
const MAX_WEIGHT_LAYERS = 40;
const WEIGHT_NAME =
  /\.(onnx|pkl|pickle|joblib|h5|hdf5|keras|pt|pth|pt2|safetensors|bin|gguf|npz|npy|pb|ubj|model|caffemodel|params|weights|tflite|pmml|skops|data-\d+-of-\d+)$/i;

/**
 * Turns a project into one image for each base. Weights are planned, not copied; what is small is made once and kept in the store; layers that
 * do not depend on the platform are the same in every image. The same project, bases and tool give the same images.
 * @throws ToolError `SECRET_IN_CONTEXT`, `FILE_REFUSED`, `FILE_CHANGED`, `BASE_UNSUITABLE`, `LAYER_LIMIT`, `REQUIREMENT_WITHOUT_WHEEL`, `LIBRARY_MISSING`, `RUNTIME_MISSING`.
 */
export async function packImages(
  project: PackProject,
  bases: readonly BaseImage[],
  context: PackContext,
): Promise<readonly PackedImage[]> {
  for (const base of bases) checkBase(project, base);
  const { files, emptyFolders } = await walkTree(project.root, {
    ignore: project.ignore,
    signal: context.signal,
  });
  await refuseSecrets(files, project.allowSecrets, { signal: context.signal });
  const work: Work = {
    project,
    context,
    files,
    emptyFolders,
    layers: {
      store: context.store,
      cache: context.cache("layers"),
      digests: context.digests,
      cacheDir: context.cacheDir,
      pool: context.pool,
      epochS: project.epochS,
      signal: context.signal,
    },
    weights: {
      store: context.store,
      digests: context.digests,
      epochS: project.epochS,
      made: new Map(),
      onRead: context.onRead,
    },
  };
  const images: PackedImage[] = [];
  for (const base of bases) images.push(await packOn(base, work));
  return images;
}

/** What the images of one project have in common. */
interface Work {
  readonly project: PackProject;
  readonly context: PackContext;
  readonly files: readonly WalkedFile[];
  readonly emptyFolders: readonly string[];
  readonly layers: SmallLayerContext;
  readonly weights: WeightLayerContext;
}

async function packOn(base: BaseImage, work: Work): Promise<PackedImage> {
  const { project, context, layers, files } = work;
  const emptyFolders = work.emptyFolders.map((path) => `${folderOf(project).slice(1)}/${path}`);
  const request = { platform: base.platform, facts: base.facts };
  const isServed = project.startCommand === undefined;
  const added: PlannedLayer[] = [];
  if (isServed) {
    added.push(
      plannedLayer(
        `Node ${base.platform.architecture}`,
        "node",
        await nodeLayer(request, context, layers),
      ),
    );
    added.push(
      plannedLayer("slipway server", "server", await serverLayer(request, context, layers)),
    );
  }
  if (isServed && runtimeOf(project) === "onnx")
    added.push(
      plannedLayer("ONNX Runtime", "onnxruntime", await onnxRuntimeLayer(request, context, layers)),
    );
  const python = await pythonLayers(project, base, context);
  if (python !== undefined) added.push(...(await plannedPython(python, base, layers)));
  added.push(...(await weightLayers(base, work)));
  const own = new Set((project.added ?? []).map(({ path }) => path));
  const code = files
    .filter((file) => !isWeight(file, project))
    .map((file) => appFile(file, project))
    .filter(({ path }) => !own.has(path));
  if (code.length + emptyFolders.length > 0)
    added.push(
      plannedLayer(
        project.code === undefined ? "files" : "code",
        "code",
        await smallLayer(layerEntries(code, base.facts, emptyFolders), layers),
      ),
    );
  const extra = (project.added ?? []).map(({ path, bytes }): LayerFile => ({
    path,
    isExecutable: false,
    from: { kind: "bytes", bytes },
  }));
  if (extra.length > 0)
    added.push(
      plannedLayer(
        "configuration",
        "code",
        await smallLayer(layerEntries(extra, base.facts), layers),
      ),
    );
  const description = describe(project, base, python);
  if (isServed)
    added.push(
      plannedLayer(
        "description",
        "description",
        await smallLayer(layerEntries([descriptionFile(description)], base.facts), layers),
      ),
    );
  return assemble({
    project,
    base,
    added,
    description,
    python,
    toolVersion: context.tool.version,
    signal: context.signal,
  });
}

async function pythonLayers(
  project: PackProject,
  base: BaseImage,
  context: PackContext,
): Promise<PythonLayers | undefined> {
  const { python, glibc } = base.facts;
  if (
    project.requirements.length + project.requirementLines.length === 0 ||
    python === undefined ||
    glibc === undefined
  )
    return undefined;
  return buildPythonLayers(
    {
      root: project.root,
      files: project.requirements,
      lines: project.requirementLines,
      target: {
        pythonVersion: python.version.split(".").slice(0, 2).join("."),
        platform: base.platform,
        libc: { kind: "glibc", version: glibc },
        interpreter: python.executable,
        libraries: base.facts.sonames,
      },
      indexes: project.indexes,
    },
    {
      store: context.store,
      cache: context.cache("python"),
      ignoreLibraries: project.ignoreLibraries,
      workDir: context.cacheDir,
      environment: context.environment,
      pool: context.pool,
      signal: context.signal,
      onProgress: (event) => {
        if (event.kind === "resolve") context.onStep?.("resolving Python packages");
        if (event.kind === "install")
          context.onStep?.(`installing ${event.packages} Python packages into layers`);
      },
    },
  );
}

/** The packages, lowest first, and what makes the base's Python find them. */
async function plannedPython(
  python: PythonLayers,
  { facts }: BaseImage,
  context: SmallLayerContext,
): Promise<readonly PlannedLayer[]> {
  const state = python.unpacked === 0 ? "cached" : "new";
  const planned = python.layers.map((layer): PlannedLayer => ({
    label: layer.label,
    kind: "python",
    state,
    size: layer.descriptor.size,
    digest: layer.descriptor.digest,
    layer: storedPython(layer),
  }));
  if (facts.python === undefined) return planned;
  const path = await smallLayer(
    layerEntries([pathFile(facts.python.sitePackages, python)], facts),
    context,
  );
  return [...planned, plannedLayer("python path", "python", path)];
}

/** The line by which any Python of the base finds the packages, not only the server's worker. */
function pathFile(basePackages: string, { sitePackages }: PythonLayers): LayerFile {
  return {
    path: posix.join(basePackages, "slipway.pth").slice(1),
    isExecutable: false,
    from: { kind: "bytes", bytes: Buffer.from(`${sitePathSource(sitePackages)}\n`) },
  };
}

function storedPython(layer: PythonLayers["layers"][number]): Layer {
  return {
    descriptor: () => Promise.resolve(layer.descriptor),
    diffId: () => Promise.resolve(layer.diffId),
    open: (options) => layer.open(options),
  };
}

async function weightLayers(
  base: BaseImage,
  { project, files, weights: context }: Work,
): Promise<readonly PlannedLayer[]> {
  const weights = files.filter((file) => isWeight(file, project));
  const large = weights.filter(({ guard }) => guard.size >= LARGE_BYTES);
  const alone = large.slice(0, MAX_WEIGHT_LAYERS);
  const together = weights.filter((file) => !alone.includes(file));
  const groups = [...(together.length === 0 ? [] : [together]), ...alone.map((file) => [file])];
  return Promise.all(
    groups.map(async (group): Promise<PlannedLayer> => {
      const label =
        group.length === 1 ? (group[0]?.path ?? "model") : `${group.length} model files`;
      const layer = await weightLayer(
        layerEntries(
          group.map((file) => appFile(file, project)),
          base.facts,
        ),
        label,
        context,
      );
      const known = await layer.known();
      return {
        label,
        kind: "model",
        state: known === undefined ? "new" : "cached",
        size: layer.size,
        layer,
        ...(known === undefined ? {} : { digest: known.digest }),
      };
    }),
  );
}

function isWeight(file: WalkedFile, project: PackProject): boolean {
  return (
    file.guard.size >= LARGE_BYTES ||
    WEIGHT_NAME.test(file.path) ||
    project.modelFiles?.includes(file.path) === true
  );
}

/** Where a project file is in the image: beside the code when there is code, else below `/models`. */
function appFile(file: WalkedFile, project: PackProject): LayerFile {
  return {
    path: `${folderOf(project).slice(1)}/${file.path}`,
    isExecutable: file.isExecutable,
    from: { kind: "file", file },
  };
}

function describe(
  project: PackProject,
  base: BaseImage,
  python: PythonLayers | undefined,
): ModelDescription {
  const folder = folderOf(project);
  const modelPath =
    project.modelPath === undefined
      ? undefined
      : posix.join(folder, relative(project.root, project.modelPath).split("\\").join("/"));
  return {
    schemaVersion: 1,
    name: project.name,
    kind: project.kind,
    contract: project.contract,
    service: project.service,
    ...(modelPath === undefined ? {} : { modelPath }),
    codePath: folder,
    ...(project.code === undefined ? {} : { code: project.code }),
    ...(project.signature === undefined ? {} : { signature: project.signature }),
    ports: project.ports,
    server: project.server,
    ...(base.facts.python === undefined
      ? {}
      : {
          python: {
            executable: base.facts.python.executable,
            path: python === undefined ? [] : [python.sitePackages],
          },
        }),
  };
}

function descriptionFile(description: ModelDescription): LayerFile {
  return {
    path: "opt/slipway/model.json",
    isExecutable: false,
    from: { kind: "bytes", bytes: printDescription(description) },
  };
}

interface Assembly {
  readonly project: PackProject;
  readonly base: BaseImage;
  readonly added: readonly PlannedLayer[];
  readonly description: ModelDescription;
  readonly python: PythonLayers | undefined;
  readonly toolVersion: string;
  readonly signal: AbortSignal | undefined;
}

async function assemble({
  project,
  base,
  added,
  description,
  python,
  toolVersion,
  signal,
}: Assembly): Promise<PackedImage> {
  const layers = await withBaseLayers(base, added, signal);
  const created = timeOf(project.epochS);
  const additions = added.map(({ layer, label }): LayerAddition => ({
    layer,
    history: { created, created_by: `slipway pack: ${label}` },
  }));
  const binFolder =
    python === undefined
      ? undefined
      : posix.join(python.sitePackages ?? DEFAULT_SITE_PACKAGES, "bin");
  const configured = mutateConfig(appendLayers(toOci(base.image), additions), (config) =>
    runConfig(config, { project, base, description, toolVersion, binFolder }),
  );
  return {
    platform: base.platform,
    image: annotate(configured, metadataOf(project, base, toolVersion)),
    layers,
  };
}
