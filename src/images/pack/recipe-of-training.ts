import { posix } from "node:path";
import {
  DEFAULT_SITE_PACKAGES,
  sitePathSource,
  type IndexOptions,
} from "../python-packages/index.ts";
import {
  DEFAULT_PATH,
  layerEntries,
  type BaseImage,
  type FolderList,
  type ImageRecipe,
  type LayerFile,
  type RecipeStep,
} from "../recipe/index.ts";
import type { ProjectTree } from "./context/walk.ts";
import { originOf } from "./model-config.ts";
import { filesStep, imageFile, largeFiles, ownFile, weightSteps } from "./split-files.ts";

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
  /** Shared libraries that Python packages may miss. */
  readonly ignoreLibraries?: readonly string[] | undefined;
  /** Python packages of the tool: files below a folder that Python looks into last. */
  readonly helpers?: { readonly folder: string; readonly files: readonly AddedFile[] } | undefined;
  /** Path at which scripts expect Python; a link is put there where the base has Python elsewhere only. */
  readonly pythonLink?: string | undefined;
  /** Path below the folder at which the tool's own exporter of detection models is started with Python; absent: it is not in the image. */
  readonly exporter?: string | undefined;
  /** Variables; they replace the base's of the same name. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since the epoch. */
  readonly epochS: number;
}

/**
 * The image that trains on a base: packages, the tool's helpers, code. How the base starts, and as whom, stays as it is.
 * Recipes of the same code for two bases share every layer whose content is the same.
 */
export function recipeOfTraining(
  project: CodeProject,
  tree: ProjectTree,
  { base, toolVersion }: { readonly base: BaseImage; readonly toolVersion: string },
): ImageRecipe {
  const { root, requirements, requirementLines, indexes, ignoreLibraries } = project;
  const hasPackages = requirements.length + requirementLines.length > 0;
  const wanted = { root, files: requirements, lines: requirementLines, indexes };
  const packages = { ...wanted, ignoreLibraries, aptWay: "flag" } as const;
  const metadata = { ...originOf(project, base, toolVersion), ...project.labels };
  return {
    tool: "slipway train pack",
    epochS: project.epochS,
    annotations: metadata,
    config: {
      env: project.env,
      folders: foldersOf(project, base, hasPackages),
      labels: metadata,
    },
    steps: [
      ...exporterSteps(project),
      ...(hasPackages ? [{ kind: "python", packages } as const] : []),
      ...filesStep(
        "helpers",
        "python",
        layerEntries(helperFiles(project, base, hasPackages), base.facts),
      ),
      ...codeSteps(project, tree, base),
    ],
  };
}

/** Node and the exporter's bundle; the first is the layer that every image has which serves a model. */
function exporterSteps({ exporter }: CodeProject): readonly RecipeStep[] {
  if (exporter === undefined) return [];
  return [
    { kind: "tool", tool: "node" },
    { kind: "tool", tool: "exporter" },
  ];
}

/** Python that becomes the exporter, for platforms that start every program with Python; of any version. */
const EXPORTER_START = `#!/usr/bin/env python
"""Exports a detection model with the flags of the Object Detection API's exporter, without TensorFlow."""
import os
import sys

os.execv("/opt/slipway/node", ["/opt/slipway/node", "/opt/slipway/exporter.mjs"] + sys.argv[1:])
`;

function exporterStart({ exporter, folder }: CodeProject): readonly LayerFile[] {
  if (exporter === undefined) return [];
  const file = ownFile(`${folder}/${exporter}`, Buffer.from(EXPORTER_START));
  return [{ ...file, isExecutable: true }];
}

function codeSteps(
  project: CodeProject,
  tree: ProjectTree,
  base: BaseImage,
): readonly RecipeStep[] {
  const { folder } = project;
  const alone = largeFiles(tree.files);
  const code = tree.files.filter((file) => !alone.includes(file));
  const empty = tree.emptyFolders.map((path) => `${folder}/${path}`);
  const entries = layerEntries(
    [...code.map((file) => imageFile(file, folder)), ...exporterStart(project)],
    base.facts,
    empty,
  );
  return [...weightSteps(alone, folder, base), ...filesStep("code", "code", entries)];
}

/** The tool's own packages, the line that lets the base's Python find them and the installed ones, and the link. */
function helperFiles(
  project: CodeProject,
  { facts }: BaseImage,
  hasPackages: boolean,
): readonly LayerFile[] {
  const { helpers, pythonLink } = project;
  const own = (helpers?.files ?? []).map(({ path, bytes }) =>
    ownFile(`${helpers?.folder ?? ""}/${path}`, bytes),
  );
  if (facts.python === undefined) return own;
  const lines = [
    ...(hasPackages ? [sitePathSource(DEFAULT_SITE_PACKAGES)] : []),
    ...(helpers === undefined ? [] : [`/${helpers.folder}`]),
  ];
  const isLinked = pythonLink !== undefined && facts.python.hasPlainName === false;
  return [
    ...own,
    ...(lines.length === 0
      ? []
      : [
          ownFile(
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

/** Scripts of installed packages are found; a Python that we know nothing of is told where the helpers are. */
function foldersOf(
  { helpers }: CodeProject,
  base: BaseImage,
  hasPackages: boolean,
): readonly FolderList[] {
  if (hasPackages)
    return [
      {
        variable: "PATH",
        folders: [posix.join(DEFAULT_SITE_PACKAGES, "bin")],
        place: "before",
        fallback: DEFAULT_PATH,
      },
    ];
  if (base.facts.python !== undefined || helpers === undefined) return [];
  return [
    { variable: "PYTHONPATH", folders: [`/${helpers.folder}`], place: "behind", fallback: "" },
  ];
}
