import { posix } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import {
  annotate,
  appendLayers,
  mutateConfig,
  toOci,
  type ImageConfig,
  type Layer,
  type LayerAddition,
} from "../oci/index.ts";
import type { BaseImage, PackContext, PackedImage, PlannedLayer } from "./contracts.ts";
import { refuseSecrets } from "./context/find-secrets.ts";
import { timeOf } from "./image-config.ts";
import { layerEntries, type LayerFile } from "./layers/layer-tree.ts";
import {
  buildPythonLayers,
  DEFAULT_SITE_PACKAGES,
  sitePathSource,
  type IndexOptions,
  type PythonLayers,
} from "../python-packages/index.ts";
import { plannedLayer, withBaseLayers } from "./layers/planned-layers.ts";
import { smallLayer, type SmallLayerContext } from "./layers/small-layer.ts";
import { walkTree, type WalkedFile } from "./context/walk.ts";
import { weightLayer } from "./layers/weight-layer.ts";

/** A file that the tool adds, by its path in the image without a leading slash. */
export interface AddedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Code that is put onto a base; how the base starts, and as whom, stays as it is. Paths absolute. */
export interface CodeProject {
  readonly root: string;
  readonly name: string;
  /** Folder in the image, without a leading slash. */
  readonly folder: string;
  /** Requirements files, and requirements as lines of such a file. */
  readonly requirements: readonly string[];
  readonly requirementLines: readonly string[];
  readonly indexes?: IndexOptions | undefined;
  /** Python packages of the tool: files below a folder that Python looks into last. */
  readonly helpers?: { readonly folder: string; readonly files: readonly AddedFile[] } | undefined;
  /** Path at which scripts expect Python; a link is put there where the base has Python elsewhere only. */
  readonly pythonLink?: string | undefined;
  readonly ignore: readonly string[];
  readonly allowSecrets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since the epoch. */
  readonly epochS: number;
}

/** The files of a project, read once for several bases. */
export interface ReadCode {
  readonly project: CodeProject;
  readonly files: readonly WalkedFile[];
  /** Folders with nothing in them, relative to the root. */
  readonly emptyFolders: readonly string[];
}

/** From this size on a file is streamed from where it lies, and has a layer to itself. */
const LARGE_BYTES = 8 * 2 ** 20;
const MAX_ALONE = 40;

/** Lists the files that go into the image. @throws ToolError `SECRET_IN_CONTEXT`, `FILE_REFUSED`, `PROJECT_NOT_FOUND`. */
export async function readCode(
  project: CodeProject,
  context: Pick<PackContext, "signal">,
): Promise<ReadCode> {
  const { files, emptyFolders } = await walkTree(project.root, {
    ignore: project.ignore,
    signal: context.signal,
  });
  await refuseSecrets(files, project.allowSecrets, { signal: context.signal });
  return { project, files, emptyFolders };
}

/**
 * Puts code and its packages onto a base. The same code on two bases shares every layer whose content is the same.
 * @throws ToolError `FILE_CHANGED`, `BASE_UNSUITABLE`, `LAYER_LIMIT`, `REQUIREMENT_WITHOUT_WHEEL`, `LIBRARY_MISSING`.
 */
export async function packCode(
  { project, files, emptyFolders }: ReadCode,
  base: BaseImage,
  context: PackContext,
): Promise<PackedImage> {
  const layers: SmallLayerContext = {
    store: context.store,
    cache: context.cache("layers"),
    digests: context.digests,
    cacheDir: context.cacheDir,
    pool: context.pool,
    epochS: project.epochS,
    signal: context.signal,
  };
  const python = await pythonLayers(project, base, context);
  const added: PlannedLayer[] = (python?.layers ?? []).map((layer): PlannedLayer => {
    const stored: Layer = {
      descriptor: () => Promise.resolve(layer.descriptor),
      diffId: () => Promise.resolve(layer.diffId),
      open: (options) => layer.open(options),
    };
    return {
      label: layer.label,
      kind: "python",
      state: python?.unpacked === 0 ? "cached" : "new",
      size: layer.descriptor.size,
      digest: layer.descriptor.digest,
      layer: stored,
    };
  });
  const helpers = helperFiles(project, base, python);
  if (helpers.length > 0)
    added.push(
      plannedLayer(
        "helpers",
        "python",
        await smallLayer(layerEntries(helpers, base.facts), layers),
      ),
    );
  const large = files.filter(({ guard }) => guard.size >= LARGE_BYTES).slice(0, MAX_ALONE);
  for (const file of large) added.push(await largeLayer(file, { project, base, context }));
  const small = files
    .filter((file) => !large.includes(file))
    .map((file) => imageFile(file, project));
  const empty = emptyFolders.map((path) => `${project.folder}/${path}`);
  if (small.length + empty.length > 0)
    added.push(
      plannedLayer(
        "code",
        "code",
        await smallLayer(layerEntries(small, base.facts, empty), layers),
      ),
    );
  return assemble({ project, base, added, python, context });
}

async function pythonLayers(
  project: CodeProject,
  base: BaseImage,
  context: PackContext,
): Promise<PythonLayers | undefined> {
  if (project.requirements.length === 0 && project.requirementLines.length === 0) return undefined;
  const { python, glibc } = base.facts;
  if (python === undefined || glibc === undefined) {
    throw new ToolError(
      "BASE_UNSUITABLE",
      `pack on "${base.name}": there are packages to install, and the base has no Python 3 with glibc`,
      { hint: "choose another base, or leave the requirements out" },
    );
  }
  const target = {
    pythonVersion: python.version.split(".").slice(0, 2).join("."),
    platform: base.platform,
    libc: { kind: "glibc", version: glibc } as const,
    interpreter: python.executable,
    libraries: base.facts.sonames,
  };
  return buildPythonLayers(
    {
      root: project.root,
      files: project.requirements,
      lines: project.requirementLines,
      target,
      indexes: project.indexes,
    },
    {
      store: context.store,
      cache: context.cache("python"),
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

/** The tool's own packages, the line that lets the base's Python find them and the installed ones, and the link. */
function helperFiles(
  project: CodeProject,
  { facts }: BaseImage,
  python: PythonLayers | undefined,
): readonly LayerFile[] {
  const { helpers, pythonLink } = project;
  const file = (path: string, bytes: Uint8Array): LayerFile => ({
    path,
    isExecutable: false,
    from: { kind: "bytes", bytes },
  });
  const own = (helpers?.files ?? []).map(({ path, bytes }) =>
    file(`${helpers?.folder ?? ""}/${path}`, bytes),
  );
  if (facts.python === undefined) return own;
  const lines = [
    ...(python === undefined ? [] : [sitePathSource(python.sitePackages)]),
    ...(helpers === undefined ? [] : [`/${helpers.folder}`]),
  ];
  const isLinked = pythonLink !== undefined && facts.python.hasPlainName === false;
  return [
    ...own,
    ...(lines.length === 0
      ? []
      : [
          file(
            posix.join(facts.python.sitePackages, "slipway.pth").slice(1),
            Buffer.from(`${lines.join("\n")}\n`),
          ),
        ]),
    ...(isLinked
      ? [
          {
            path: pythonLink.slice(1),
            isExecutable: true,
            from: { kind: "link" as const, target: facts.python.executable },
          },
        ]
      : []),
  ];
}

async function largeLayer(
  file: WalkedFile,
  {
    project,
    base,
    context,
  }: { readonly project: CodeProject; readonly base: BaseImage; readonly context: PackContext },
): Promise<PlannedLayer> {
  const layer = await weightLayer(layerEntries([imageFile(file, project)], base.facts), file.path, {
    store: context.store,
    digests: context.digests,
    epochS: project.epochS,
    onRead: context.onRead,
  });
  const known = await layer.known();
  return {
    label: file.path,
    kind: "model",
    state: known === undefined ? "new" : "cached",
    size: layer.size,
    layer,
    ...(known === undefined ? {} : { digest: known.digest }),
  };
}

function imageFile(file: WalkedFile, { folder }: CodeProject): LayerFile {
  return {
    path: `${folder}/${file.path}`,
    isExecutable: file.isExecutable,
    from: { kind: "file", file },
  };
}

interface Assembly {
  readonly project: CodeProject;
  readonly base: BaseImage;
  readonly added: readonly PlannedLayer[];
  readonly python: PythonLayers | undefined;
  readonly context: PackContext;
}

async function assemble({ project, base, added, python, context }: Assembly): Promise<PackedImage> {
  const layers = await withBaseLayers(base, added, context.signal);
  const created = timeOf(project.epochS);
  const additions = added.map(({ layer, label }): LayerAddition => ({
    layer,
    history: { created, created_by: `slipway train pack: ${label}` },
  }));
  const metadata = {
    "org.opencontainers.image.created": created,
    "org.opencontainers.image.title": project.name,
    "org.opencontainers.image.base.name": base.name,
    "org.opencontainers.image.base.digest": base.digest,
    "dev.slipway.version": context.tool.version,
    ...project.labels,
  };
  const image = mutateConfig(appendLayers(toOci(base.image), additions), (config) => ({
    ...config,
    created,
    config: {
      ...config.config,
      ...environmentOf(config, { project, base, python }),
      Labels: { ...withoutBaseFacts(config.config?.Labels ?? {}), ...metadata },
    },
  }));
  return { platform: base.platform, image: annotate(image, metadata), layers };
}

/** Scripts of installed packages are found; a Python that we know nothing of is told where the helpers are. */
function environmentOf(
  { config }: ImageConfig,
  { project, base, python }: Pick<Assembly, "project" | "base" | "python">,
): { readonly Env?: readonly string[] } {
  const before = config?.Env ?? [];
  const prepend = (name: string, folder: string, fallback: string): readonly string[] => {
    const value =
      before.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1) ?? fallback;
    return [
      ...before.filter((entry) => !entry.startsWith(`${name}=`)),
      `${name}=${value === "" ? folder : name === "PATH" ? `${folder}:${value}` : `${value}:${folder}`}`,
    ];
  };
  if (python !== undefined)
    return {
      Env: prepend(
        "PATH",
        posix.join(python.sitePackages ?? DEFAULT_SITE_PACKAGES, "bin"),
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      ),
    };
  if (base.facts.python === undefined && project.helpers !== undefined)
    return { Env: prepend("PYTHONPATH", `/${project.helpers.folder}`, "") };
  return {};
}

/** What the base said of itself is no longer all that is true. */
function withoutBaseFacts(
  labels: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(labels).filter(
      ([key]) => !/^dev\.slipway\.base\.(packages|sonames|directories)$/.test(key),
    ),
  );
}
