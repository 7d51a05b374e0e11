import { formatReference, type ImageConfig, type RunConfig } from "../../oci/index.ts";
import type {
  BaseImage,
  ConfigChange,
  ImageRecipe,
  LayerEntry,
  RecipeStep,
  SettableField,
} from "../../recipe/index.ts";
import type { ExecutedLayer } from "../contracts.ts";
import type { ExtractedFiles } from "../tree/extracted-files.ts";
import type { ImageEntry } from "../tree/image-entry.ts";
import type { FileNode, TreeNode } from "../tree/tree-node.ts";
import type { StageScope } from "./run-config.ts";

/** What a step of a stage left behind. */
export type BuiltStep =
  | { readonly kind: "files"; readonly text: string; readonly entries: readonly ImageEntry[] }
  | { readonly kind: "executed"; readonly text: string; readonly layers: readonly ExecutedLayer[] }
  | { readonly kind: "history"; readonly text: string };

/** From this size on a file is streamed from where it lies, and has a layer to itself. */
const LARGE_BYTES = 8 * 2 ** 20;
/** Large files of one step beyond these share a layer. */
const MAX_ALONE = 40;
const MAX_LABEL = 60;

/** What a stage is, as a recipe on its base. */
export async function recipeOfStage(
  stage: {
    readonly steps: readonly BuiltStep[];
    readonly scope: StageScope;
    readonly epochS: number;
  },
  base: { readonly image: BaseImage; readonly config: ImageConfig },
  files: ExtractedFiles,
): Promise<ImageRecipe> {
  const steps: RecipeStep[] = [];
  for (const step of stage.steps) steps.push(...(await recipeSteps(step, files)));
  return {
    tool: "slipway build",
    steps,
    config: configChange(stage.scope, base.config.config ?? {}),
    annotations: baseAnnotations(base.image),
    epochS: stage.epochS,
  };
}

/** Where the layers of the base are: the store does not have them. */
function baseAnnotations({ name, digest, mountFrom }: BaseImage): ImageRecipe["annotations"] {
  if (mountFrom === undefined) return {};
  const place = formatReference(mountFrom);
  return {
    "org.opencontainers.image.base.name": place,
    ...(place === name ? { "org.opencontainers.image.base.digest": digest } : {}),
  };
}

async function recipeSteps(step: BuiltStep, files: ExtractedFiles): Promise<readonly RecipeStep[]> {
  const createdBy = step.text;
  const label = labelOf(step.text);
  switch (step.kind) {
    case "history":
      return [{ kind: "history", createdBy }];
    case "executed":
      return step.layers.map(({ layer, size }) => ({
        kind: "made",
        role: "code",
        state: "new",
        label,
        createdBy,
        layer,
        size,
      }));
    case "files": {
      const groups = groupBySize(step.entries);
      await files.place(step.entries.flatMap(({ node }) => (node.kind === "file" ? [node] : [])));
      return [
        ...groups.large.map((entries): RecipeStep => ({
          kind: "weights",
          role: "model",
          label: fileLabel(entries),
          createdBy,
          entries: toLayerEntries(entries, files),
        })),
        ...(groups.small.length === 0
          ? []
          : [
              {
                kind: "files" as const,
                role: "code" as const,
                label,
                createdBy,
                entries: toLayerEntries(groups.small, files),
              },
            ]),
      ];
    }
  }
}

/** The instruction on one line, short enough for a plan. */
function labelOf(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > MAX_LABEL ? `${line.slice(0, MAX_LABEL - 1)}…` : line;
}

function fileLabel(entries: readonly ImageEntry[]): string {
  const [first, ...more] = entries.filter(({ node }) => node.kind === "file");
  return `/${first?.path ?? ""}${more.length === 0 ? "" : ` and ${more.length} more`}`;
}

/** Names of one large file stay together, since they are one file with several names. */
function groupBySize(entries: readonly ImageEntry[]): {
  readonly large: readonly (readonly ImageEntry[])[];
  readonly small: readonly ImageEntry[];
} {
  const isLarge = ({ node }: ImageEntry): boolean =>
    node.kind === "file" && node.size >= LARGE_BYTES;
  const byContent = Map.groupBy(entries.filter(isLarge), ({ node }) =>
    contentName(node as FileNode),
  ); // isLarge says so
  const alone = [...byContent.values()].slice(0, MAX_ALONE);
  const together = [...byContent.values()].slice(MAX_ALONE).flat();
  const groups = together.length === 0 ? alone : [...alone, together];
  const rest = entries.filter((entry) => !isLarge(entry));
  return {
    large: groups.map((group) => [...foldersAbove(group, entries), ...group]),
    small: byContent.size > 0 && rest.every((entry) => isFolderOnWay(entry, groups)) ? [] : rest,
  };
}

/** True for a folder that the layers of large files name already. */
function isFolderOnWay(
  { path, node }: ImageEntry,
  groups: readonly (readonly ImageEntry[])[],
): boolean {
  return (
    node.kind === "folder" &&
    groups.some((group) => group.some((entry) => entry.path.startsWith(`${path}/`)))
  );
}

function foldersAbove(
  group: readonly ImageEntry[],
  entries: readonly ImageEntry[],
): readonly ImageEntry[] {
  return entries.filter((entry) => isFolderOnWay(entry, [group]));
}

function contentName({ content, size }: FileNode): string {
  switch (content.kind) {
    case "file":
      return `${content.guard.dev} ${content.guard.ino}`;
    case "tar":
      return `${content.source.key} ${content.index}`;
    case "bytes":
      return `bytes ${size}`;
  }
}

/** Entries of a tar; a second name of one file becomes a hard link where nothing tells the two apart. */
function toLayerEntries(
  entries: readonly ImageEntry[],
  files: ExtractedFiles,
): readonly LayerEntry[] {
  const first = new Map<string, string>();
  return entries.map(({ path, node }) => {
    const entry = toLayerEntry(path, node, files);
    if (node.kind !== "file" || node.size < LARGE_BYTES) return entry;
    const key = [contentName(node), node.mode, node.uid, node.gid].join(" ");
    const target = first.get(key);
    if (target === undefined) {
      first.set(key, path);
      return entry;
    }
    const { mode, uid, gid } = node;
    return { path, type: "hardlink", mode, uid, gid, size: 0, linkTarget: target };
  });
}

function toLayerEntry(path: string, node: TreeNode, files: ExtractedFiles): LayerEntry {
  const { mode, uid, gid, xattrs } = node;
  const common = { path, mode, uid, gid, size: 0, ...(xattrs === undefined ? {} : { xattrs }) };
  switch (node.kind) {
    case "folder":
      return { ...common, type: "directory" };
    case "link":
      return { ...common, type: "symlink", mode: 0o777, linkTarget: node.target };
    case "device":
      return { ...common, type: "device", device: node.device };
    case "file":
      return { ...common, type: "file", size: node.size, from: fromOf(node, files) };
  }
}

function fromOf({ content }: FileNode, files: ExtractedFiles): NonNullable<LayerEntry["from"]> {
  if (content.kind === "bytes") return content;
  const { path, guard } = content.kind === "tar" ? files.find(content) : content;
  return { kind: "file", file: { source: path, guard } };
}

const FIELDS: readonly SettableField[] = [
  "User",
  "ExposedPorts",
  "Entrypoint",
  "Cmd",
  "Volumes",
  "WorkingDir",
  "StopSignal",
  "Healthcheck",
  "Shell",
  "OnBuild",
];

/** The stage's config as a change to its base's. */
function configChange({ config, author }: StageScope, before: RunConfig): ConfigChange {
  const set: Partial<Record<SettableField, unknown>> = {};
  for (const field of FIELDS) {
    const value = config[field];
    if (!isEmpty(value)) set[field] = value;
    else if (before[field] !== undefined) set[field] = null;
  }
  return {
    set: set as NonNullable<ConfigChange["set"]>, // each field has the value of that field
    env: Object.fromEntries((config.Env ?? []).map(splitVariable)),
    labels: config.Labels ?? {},
    ...(author === undefined ? {} : { author }),
  };
}

/** Docker leaves out what is empty. */
function isEmpty(value: RunConfig[SettableField]): boolean {
  return value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

function splitVariable(entry: string): readonly [string, string] {
  const sign = entry.indexOf("=");
  return sign < 0 ? [entry, ""] : [entry.slice(0, sign), entry.slice(sign + 1)];
}
