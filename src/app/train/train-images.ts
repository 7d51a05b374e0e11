import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  debianOfRow,
  type Catalogue,
  type CatalogueRow,
  type RowDebian,
} from "../../jobs/catalogue/index.ts";
import { createDeflatePool } from "../../images/compress/index.ts";
import { parseLocation } from "../../images/copy/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { configOf, type Platform } from "../../images/oci/index.ts";
import {
  packTraining,
  refuseSecrets,
  type AddedFile,
  type BaseImage,
  type CodeProject,
  type JsonCache,
  type ProjectTree,
} from "../../images/pack/index.ts";
import type { Store } from "../../images/store/index.ts";
import { isOpen, recipeOf, type Accelerator } from "../../jobs/train/index.ts";
import { withAptPackages } from "../pack/apt-packages.ts";
import type { Packed } from "../pack/deliver.ts";
import type { OpenBase } from "../pack/base-image.ts";
import { lackingPackages, openKnownBase } from "../pack/known-base.ts";
import { rowIndexes } from "../pack/row-indexes.ts";
import { withoutChosen } from "../python/declared-packages.ts";
import type { Session } from "../session.ts";
import { move } from "../places/move.ts";
import { packContextOf } from "../pack/pack-context.ts";

/** What the images of a job are made of. */
export interface ImageRequest {
  readonly code: Omit<CodeProject, "requirementLines" | "helpers" | "pythonLink" | "env">;
  /** What is in the code folder. */
  readonly tree: ProjectTree;
  /** Patterns of files in which secrets are allowed. */
  readonly allowSecrets: readonly string[];
  readonly platform: Platform;
  /** Images that the user named; they take the place of the known ones. */
  /** Lines of requirements that the folder declares in other files than those of `code`. */
  readonly declared: readonly string[];
  readonly bases: Readonly<Record<Accelerator, string | undefined>>;
  /** True for a base that has its framework: no wheels go on top. */
  readonly isOwnImage: boolean;
  readonly release?: CatalogueRow | undefined;
  readonly catalogue: Catalogue;
  /** True when the image wants the base of the release, and none of its wheels. */
  readonly isBare: boolean;
  /** Version of Python that the user asks for, such as `python-3.12`. */
  readonly python?: string | undefined;
  readonly apt: readonly string[];
}

/** Makes images of one job; their bases stay open until it is disposed. */
export interface ImageMaker extends AsyncDisposable {
  make(accelerator: Accelerator): Promise<Packed>;
}

const HELPERS = "opt/slipway/train";
const PYTHON_LINK = "/usr/bin/python";

/** Reads the code once; every image is made from what was read. */
export async function createImageMaker(
  request: ImageRequest,
  store: Store,
  session: Session,
): Promise<ImageMaker> {
  await using stack = new AsyncDisposableStack();
  const pool = stack.use(createDeflatePool());
  const packContext = packContextOf(store, pool, session);
  const tool = packContext.tool;
  const project: CodeProject = {
    ...request.code,
    requirementLines: [],
    helpers: { folder: HELPERS, files: await helperFiles(tool.workerFolder) },
    pythonLink: PYTHON_LINK,
  };
  await refuseSecrets(request.tree.files, {
    allow: request.allowSecrets,
    signal: session.signal,
  });
  const [bases, made] = [new Map<string, Promise<BaseImage>>(), new Map<string, Promise<Packed>>()];
  const moved = stack.move();
  const openOne = async ({ name, debian, apt }: ImageOrigin): Promise<BaseImage> => {
    const { platform } = request;
    const base = await inStore(name, session);
    const opened: OpenBase = moved.use(
      await openKnownBase({ base, debian, platform }, store.cache("base"), session),
    );
    const bare = await opened.imageFor(platform);
    return withAptPackages(bare, {
      packages: [...new Set([...lackingPackages(apt, bare), ...request.apt])],
      store,
      epochS: project.epochS,
      session,
    });
  };
  const makeOne = async (origin: ImageOrigin, accelerator: Accelerator): Promise<Packed> => {
    const { requirements, extraIndexUrls } = origin;
    const base = await onceFor(bases, origin.name, () => openOne(origin));
    const indexes = {
      ...project.indexes,
      ...rowIndexes(extraIndexUrls, project.indexes ?? {}),
    };
    const env = accelerator === "gpu" ? await gpuVariables(base) : undefined;
    const requirementLines = [
      ...withoutChosen(requirements, request.declared),
      ...request.declared,
    ];
    const own = { project: { ...project, requirementLines, indexes, env } };
    return { base, image: await packTraining({ ...own, tree: request.tree }, base, packContext) };
  };
  return {
    make(accelerator) {
      return onceFor(made, accelerator, () => makeOne(sourceOf(request, accelerator), accelerator));
    },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/**
 * What NVIDIA's runtime, enroot and pyxis read to know which cards and driver libraries a container gets; without it they
 * give none. A base that names the libraries that it needs keeps its own list.
 * @see NVIDIA Container Toolkit, "Specialized Configurations with Docker"
 */
async function gpuVariables({ image }: BaseImage): Promise<Readonly<Record<string, string>>> {
  const set = (await configOf(image)).config?.Env ?? [];
  return {
    NVIDIA_VISIBLE_DEVICES: "all",
    ...(set.some((line) => line.startsWith("NVIDIA_DRIVER_CAPABILITIES="))
      ? {}
      : { NVIDIA_DRIVER_CAPABILITIES: "compute,utility" }),
  };
}

/** What a key stands for, made when it is first asked for. */
function onceFor<T>(
  known: Map<string, Promise<T>>,
  key: string,
  make: (key: string) => Promise<T>,
): Promise<T> {
  const found = known.get(key) ?? make(key);
  known.set(key, found);
  return found;
}

/** What an engine or an archive has is copied into the store, where the images that stand on it find it later. */
async function inStore(name: string, session: Session): Promise<string> {
  const { kind } = parseLocation(name);
  if (kind === "store" || kind === "registry") return name;
  const stored = `store:imported/${name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")}`;
  session.emit({ kind: "step", text: `copying ${name} into the local store` });
  await move({ from: name, to: stored }, session);
  return stored;
}

/** A base, and what is installed on it to have the framework. */
interface ImageOrigin {
  readonly name: string;
  readonly requirements: readonly string[];
  readonly extraIndexUrls: readonly string[];
  /** Debian packages that the requirements need. */
  readonly apt: readonly string[];
  /** A Debian that can be made in the base's place. */
  readonly debian?: RowDebian | undefined;
}

/** Where an image's base comes from: what the user says, else the recipe of the release. */
export function sourceOf(
  {
    bases,
    isOwnImage,
    release,
    catalogue,
    python,
    isBare,
  }: Pick<ImageRequest, "bases" | "isOwnImage" | "release" | "catalogue" | "python" | "isBare">,
  accelerator: Accelerator,
): ImageOrigin {
  const named = bases[accelerator];
  const hasRecipe = release !== undefined && isOpen(release) && !isOwnImage;
  if (named !== undefined && !hasRecipe)
    return { name: named, requirements: [], extraIndexUrls: [], apt: [] };
  if (release === undefined)
    throw new ToolError("USAGE", "train pack: nothing says what the image stands on", {
      hint: "pass --ai_arch_v FRAMEWORK-VERSION or --base IMAGE",
    });
  const recipe = recipeOf(release, accelerator, catalogue);
  return {
    name: named ?? recipe.base,
    requirements: isBare ? [] : recipe.requirements,
    extraIndexUrls: isBare ? [] : recipe.extraIndexUrls,
    apt: named === undefined && !isBare ? recipe.apt : [],
    debian: named === undefined ? debianOfRow(release, python) : undefined,
  };
}

/**
 * The base says what it has, and it has no bash: the printed commands would fail. The answer is
 * kept, so the builder is loaded once for each new base.
 */
export async function lacksShell({ base, image }: Packed, cache: JsonCache): Promise<boolean> {
  if (image.platform.os !== "linux") return false;
  const key = `lacks shell 2 ${base.digest} ${base.added?.packages.join(",") ?? ""}`;
  const kept = await cache.get(key);
  if (typeof kept === "boolean") return kept;
  const { factsOfImage } = await import("../../images/bases/index.ts");
  const facts = factsOfImage(await configOf(base.image));
  const lacks = facts !== undefined && !facts.packages.some(({ name }) => name === "bash");
  await cache.set(key, lacks);
  return lacks;
}

/** The packages that training scripts import, as they lie in the tool. */
async function helperFiles(workerFolder: string): Promise<readonly AddedFile[]> {
  const root = join(workerFolder, "compat");
  const names = (await readdir(join(root, "uaitrain"), { recursive: true }))
    .filter((name) => name.endsWith(".py"))
    .sort();
  return Promise.all(
    names.map(async (name) => ({
      path: `uaitrain/${name}`,
      bytes: await readFile(join(root, "uaitrain", name)),
    })),
  );
}
