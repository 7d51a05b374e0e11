import { posix, relative } from "node:path";
import {
  printBootDescription,
  printDescription,
  type ModelDescription,
  runtimeOf,
} from "../../models/description/index.ts";
import { DEFAULT_SITE_PACKAGES, sitePathSource } from "../python-packages/index.ts";
import {
  layerEntries,
  type BaseImage,
  type ImageRecipe,
  type LayerFile,
  type PythonFacts,
  type RecipeStep,
} from "../recipe/index.ts";
import type { ProjectTree, WalkedFile } from "./context/walk.ts";
import type { PackProject } from "./contracts.ts";
import { folderOf, metadataOf, runConfigChange, weightFolderOf } from "./model-config.ts";
import { filesStep, imageFile, LARGE_BYTES, ownFile, weightSteps } from "./split-files.ts";

const WEIGHT_NAME =
  /\.(onnx|pkl|pickle|joblib|h5|hdf5|keras|pt|pth|pt2|safetensors|bin|gguf|npz|npy|pb|ubj|model|caffemodel|params|weights|tflite|pmml|skops|data-\d+-of-\d+)$/i;

/** The image that serves a model on a base: the tool's own parts, Python packages, weights, code, and the model's description. */
export function recipeOfModel(
  project: PackProject,
  tree: ProjectTree,
  { base, toolVersion }: { readonly base: BaseImage; readonly toolVersion: string },
): ImageRecipe {
  const isServed = project.startCommand === undefined;
  const description = describeModel(project, base);
  const metadata = metadataOf(project, base, toolVersion);
  return {
    tool: "slipway pack",
    epochS: project.epochS,
    annotations: metadata,
    config: runConfigChange(project, {
      description,
      metadata,
      hasPackages: wantsPackages(project),
    }),
    steps: [
      ...(isServed ? toolSteps(project) : []),
      ...pythonSteps(project, base),
      ...(project.fetchedKinds === undefined
        ? projectSteps(project, tree, base)
        : modelFolderSteps(base)),
      ...(isServed ? descriptionSteps(project, description, base) : []),
    ],
  };
}

function toolSteps(project: PackProject): readonly RecipeStep[] {
  return [
    { kind: "tool", tool: "node" },
    { kind: "tool", tool: "server" },
    ...(project.fetchedKinds === undefined ? [] : [{ kind: "tool", tool: "boot" } as const]),
    ...(needsOnnxRuntime(project) ? [{ kind: "tool", tool: "onnxruntime" } as const] : []),
  ];
}

function needsOnnxRuntime({ fetchedKinds, ...project }: PackProject): boolean {
  return fetchedKinds === undefined ? runtimeOf(project) === "onnx" : fetchedKinds.includes("onnx");
}

/** The folder that a model is fetched into, empty. */
function modelFolderSteps(base: BaseImage): readonly RecipeStep[] {
  return filesStep("model folder", "model", layerEntries([], base.facts, ["models"]));
}

function wantsPackages({ requirements, requirementLines }: PackProject): boolean {
  return requirements.length + requirementLines.length > 0;
}

/** The packages, lowest first, and the line by which any Python of the base finds them, not only the server's worker. */
function pythonSteps(project: PackProject, base: BaseImage): readonly RecipeStep[] {
  if (!wantsPackages(project)) return [];
  const { root, requirements, requirementLines, indexes, ignoreLibraries, aptWay } = project;
  const wanted = { root, files: requirements, lines: requirementLines, indexes };
  const packages = { ...wanted, ignoreLibraries, aptWay };
  const folder = base.facts.python?.sitePackages ?? "";
  const path = ownFile(
    posix.join(folder, "slipway.pth").slice(1),
    Buffer.from(`${sitePathSource(DEFAULT_SITE_PACKAGES)}\n`),
  );
  return [
    { kind: "python", packages },
    ...filesStep("python path", "python", layerEntries([path], base.facts)),
  ];
}

/** The project's own files: weights first, then code, then what the tool adds. */
export function projectSteps(
  project: PackProject,
  tree: ProjectTree,
  base: BaseImage,
): readonly RecipeStep[] {
  const folder = folderOf(project).slice(1);
  const weightFolder = weightFolderOf(project).slice(1);
  const added = (project.added ?? []).map(({ path, bytes }) => ownFile(path, bytes));
  const own = new Set(added.map(({ path }) => path));
  const weights = tree.files.filter((file) => isWeight(file, project));
  const links = weightFolder === folder ? [] : weights.map((file) => linkTo(file, folder));
  const code = [
    ...tree.files
      .filter((file) => !isWeight(file, project))
      .map((file) => imageFile(file, folder))
      .filter(({ path }) => !own.has(path)),
    ...links,
  ];
  const emptyFolders = tree.emptyFolders.map((path) => `${folder}/${path}`);
  return [
    ...weightSteps(weights, weightFolder, base),
    ...filesStep(
      project.code === undefined ? "files" : "code",
      "code",
      layerEntries(code, base.facts, emptyFolders),
    ),
    ...filesStep("configuration", "code", layerEntries(added, base.facts)),
  ];
}

/** A link from where the code looks for a weight to where it lies; relative, so that it also holds below another root. */
function linkTo({ path }: WalkedFile, folder: string): LayerFile {
  const up = "../".repeat(path.split("/").length);
  return {
    path: `${folder}/${path}`,
    isExecutable: false,
    from: { kind: "link", target: `${up}models/${path}` },
  };
}

function isWeight(file: WalkedFile, project: PackProject): boolean {
  return (
    file.guard.size >= LARGE_BYTES ||
    WEIGHT_NAME.test(file.path) ||
    project.modelFiles?.includes(file.path) === true
  );
}

function descriptionSteps(
  { fetchedKinds }: PackProject,
  description: ModelDescription,
  base: BaseImage,
): readonly RecipeStep[] {
  const file =
    fetchedKinds === undefined
      ? ownFile("opt/slipway/model.json", printDescription(description))
      : ownFile(
          "opt/slipway/boot.json",
          printBootDescription({ ...description, kinds: fetchedKinds }),
        );
  return filesStep("description", "description", layerEntries([file], base.facts));
}

function describeModel(project: PackProject, base: BaseImage): ModelDescription {
  const { name, kind, contract, service, code, signature, ports, server } = project;
  const folder = folderOf(project);
  const modelPath =
    project.modelPath === undefined
      ? undefined
      : posix.join(folder, relative(project.root, project.modelPath).split("\\").join("/"));
  return {
    schemaVersion: 1,
    name,
    kind,
    contract,
    service,
    ...(modelPath === undefined ? {} : { modelPath }),
    codePath: folder,
    ...(code === undefined ? {} : { code }),
    ...(signature === undefined ? {} : { signature }),
    ports,
    server,
    ...(project.allowPickle === undefined ? {} : { allowPickle: project.allowPickle }),
    ...project.processing,
    ...pythonOf(base.facts.python, wantsPackages(project)),
  };
}

function pythonOf(
  python: PythonFacts | undefined,
  hasPackages: boolean,
): Pick<ModelDescription, "python"> {
  if (python === undefined) return {};
  return {
    python: {
      executable: python.executable,
      path: hasPackages ? [DEFAULT_SITE_PACKAGES] : [],
    },
  };
}
