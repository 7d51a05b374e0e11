import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isToolError, ProjectError } from "../../ground/errors/index.ts";
import { mapLimited, noFile } from "../../ground/process/index.ts";
import { PROJECT_FILE_NAME } from "../description/index.ts";
import type { ModelFolders, RepositoryModel } from "./contracts.ts";
import { parseMlserverSettings } from "./mlserver-settings.ts";
import { readSmallFile } from "./read-limited.ts";
import { MODELS_CONFIG, parseModelsConfig, type ListedModel } from "./tensorflow-models-config.ts";
import { parseTritonConfig, type TritonConfig } from "./triton-config.ts";
import { NEWEST, servedVersions, type VersionPolicy } from "./version-policy.ts";
import { parseVersionsFile, VERSIONS_FILE, type VersionsFile } from "./versions-file.ts";

/** Files that make a folder one of a model, where it has no layout of another server. */
const MARKS: readonly string[] = ["model.py", "model.onnx", "metadata.json", PROJECT_FILE_NAME];
/** Files that make the outer folder a project of its own. */
const PROJECT_FILES = /\.(?:py|[mc]?[jt]s|onnx|pkl|joblib)$/;
const TRITON_CONFIG = "config.pbtxt";
const MLSERVER_SETTINGS = "model-settings.json";
const VERSION = /^\d{1,15}$/;
/** What a model is called whose layout has no versions. */
const ONLY_VERSION = "1";
/** Folders that are read at the same time. */
const READ_AT_ONCE = 16;

/** Files and folders of one folder, by name. */
interface Listing {
  readonly path: string;
  readonly files: ReadonlySet<string>;
  readonly folders: readonly string[];
}

/**
 * Reads a folder of models: one folder each, in Triton's, MLServer's or TensorFlow Serving's layout, with numbered folders of versions, or
 * with the model's own files. A model whose files are wrong is refused, and the others go on.
 * @param folder - absolute
 * @returns an empty list for a folder that is a project itself, or that holds no model
 * @throws ProjectError `PROJECT_INVALID` for a `models.config` that is damaged
 */
export async function readModelFolders(folder: string): Promise<ModelFolders> {
  const outer = await list(folder);
  const isProject =
    outer.files.has(PROJECT_FILE_NAME) || [...outer.files].some((name) => PROJECT_FILES.test(name));
  if (isProject) return { models: [], refused: [] };
  const listed = await readModelsConfig(outer);
  const names = outer.folders.filter((name) => !name.startsWith(".")).sort();
  const read = await mapLimited(names, READ_AT_ONCE, async (name) => {
    try {
      return { models: await readModel(await list(join(folder, name)), name, listed) };
    } catch (error) {
      if (!isToolError(error)) throw error;
      return { models: [], refused: { name, why: error.message } };
    }
  });
  const { models, refused } = joined(read.flatMap((one) => one.models));
  return { models, refused: [...read.flatMap((one) => one.refused ?? []), ...refused] };
}

async function readModelsConfig({
  path,
  files,
}: Listing): Promise<readonly ListedModel[] | undefined> {
  const file = join(path, MODELS_CONFIG);
  const text = files.has(MODELS_CONFIG) ? await readSmallFile(file) : undefined;
  return text === undefined ? undefined : parseModelsConfig(text, file);
}

/** The models of one folder: none, one, or one for each that a `models.config` makes of it. */
async function readModel(
  listing: Listing,
  name: string,
  listed: readonly ListedModel[] | undefined,
): Promise<readonly RepositoryModel[]> {
  if (listed !== undefined)
    return listed
      .filter(({ folder }) => folder === name)
      .map(({ name: own, policy, labels }) =>
        numbered(listing, { name: own, policy, labels, layout: "tensorflow-serving" }),
      );
  const settings = await readMlserver(listing);
  if (settings.length > 0) return settings;
  const triton = await readTriton(listing, name);
  if (triton !== undefined) return [triton];
  const hasVersions = listing.folders.some((folder) => VERSION.test(folder));
  if (MARKS.some((mark) => listing.files.has(mark)) && !hasVersions)
    return [
      {
        ...{ name, layout: "plain", server: {}, ignored: [] },
        versions: [{ version: ONLY_VERSION, folder: listing.path }],
      },
    ];
  if (!hasVersions) return [];
  const newest = listing.folders.filter((folder) => VERSION.test(folder)).at(-1) ?? "";
  const isSavedModel = (await list(join(listing.path, newest))).files.has("saved_model.pb");
  const layout = isSavedModel ? "tensorflow-serving" : "plain";
  const { policy = NEWEST, ...rules } = await readVersionsFile(listing);
  return [numbered(listing, { name, policy, ...rules, layout })];
}

/** How the numbered folders of a model are served. */
interface Numbered extends Pick<RepositoryModel, "name" | "layout" | "labels" | "weights"> {
  readonly policy: VersionPolicy;
  readonly more?: Partial<RepositoryModel>;
}

function numbered({ path, folders }: Listing, about: Numbered): RepositoryModel {
  const { name, layout, policy, labels = {}, weights = {}, more } = about;
  const found = folders.filter((folder) => VERSION.test(folder));
  const named = [...Object.values(labels), ...Object.keys(weights)];
  const also: VersionPolicy = { kind: "specific", versions: named };
  const versions = new Set([
    ...servedVersions(found, policy, path),
    ...servedVersions(found, also, path),
  ]);
  if (versions.size === 0)
    throw new ProjectError(
      "PROJECT_INVALID",
      `read "${path}": it has no folder of a version, such as 1`,
      {
        file: path,
      },
    );
  return {
    ...{ name, layout, server: {}, ignored: [] },
    ...more,
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(Object.keys(weights).length > 0 && { weights }),
    versions: found
      .filter((version) => versions.has(version))
      .sort((a, b) => Number(a) - Number(b))
      .map((version) => ({ version, folder: join(path, version) })),
  };
}

async function readTriton(listing: Listing, folder: string): Promise<RepositoryModel | undefined> {
  const file = join(listing.path, TRITON_CONFIG);
  const text = listing.files.has(TRITON_CONFIG) ? await readSmallFile(file) : undefined;
  if (text === undefined) return undefined;
  const { name = folder, policy, ...config }: TritonConfig = parseTritonConfig(text, file);
  const { policy: own = policy, ...rules } = await readVersionsFile(listing);
  return numbered(listing, { name, policy: own, ...rules, layout: "triton", more: config });
}

async function readVersionsFile({ path, files }: Listing): Promise<VersionsFile> {
  const file = join(path, VERSIONS_FILE);
  const text = files.has(VERSIONS_FILE) ? await readSmallFile(file) : undefined;
  return text === undefined ? {} : parseVersionsFile(text, file);
}

/** The models of MLServer's settings in a folder, and in the folders of its versions. */
async function readMlserver(listing: Listing): Promise<readonly RepositoryModel[]> {
  const below = listing.files.has(MLSERVER_SETTINGS)
    ? []
    : await Promise.all(listing.folders.map(async (name) => list(join(listing.path, name))));
  const places = [listing, ...below].filter(({ files }) => files.has(MLSERVER_SETTINGS));
  return Promise.all(
    places.map(async ({ path }): Promise<RepositoryModel> => {
      const file = join(path, MLSERVER_SETTINGS);
      const text = (await readSmallFile(file)) ?? "{}";
      const {
        name = modelName(listing.path),
        version = ONLY_VERSION,
        ...settings
      } = parseMlserverSettings(text, file);
      return { name, layout: "mlserver", ...settings, versions: [{ version, folder: path }] };
    }),
  );
}

/** Models of one name become versions of one model where MLServer's settings say so; a name that comes twice otherwise is refused. */
function joined(models: readonly RepositoryModel[]): ModelFolders {
  const byName = new Map<string, RepositoryModel>();
  const refused: ModelFolders["refused"][number][] = [];
  for (const model of models) {
    const before = byName.get(model.name);
    const versions = [...(before?.versions ?? []), ...model.versions];
    const isTwice =
      before !== undefined &&
      (model.layout !== "mlserver" ||
        before.layout !== "mlserver" ||
        new Set(versions.map(({ version }) => version)).size < versions.length);
    if (isTwice)
      refused.push({
        name: model.name,
        why: `"${model.versions[0]?.folder ?? ""}" has the name of another folder's model`,
      });
    else
      byName.set(model.name, {
        ...model,
        versions: versions.toSorted((a, b) => Number(a.version) - Number(b.version)),
      });
  }
  return { models: [...byName.values()], refused };
}

/** What a folder holds; nothing where there is none. Links to folders are folders, as volumes of Kubernetes have them. */
async function list(path: string): Promise<Listing> {
  const entries = (await readdir(path, { withFileTypes: true }).catch(noFile)) ?? [];
  const areFolders = await Promise.all(
    entries.map(async (entry) => {
      if (!entry.isSymbolicLink()) return entry.isDirectory();
      return (await stat(join(path, entry.name)).catch(noFile))?.isDirectory() === true;
    }),
  );
  const names = entries.map(({ name }) => name);
  return {
    path,
    files: new Set(names.filter((_, at) => areFolders[at] === false)),
    folders: names.filter((_, at) => areFolders[at] === true),
  };
}

function modelName(path: string): string {
  return path.split("/").at(-1) ?? path;
}
