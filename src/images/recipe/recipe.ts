import type { Digest, Layer, RunConfig } from "../oci/index.ts";
import type { AptWay, IndexOptions } from "../python-packages/index.ts";
import type { LayerEntry } from "./layers/layer-tree.ts";
import type { LayerState, PlannedLayer } from "./packed-image.ts";

/**
 * An image to make, as plain data. A recipe is made for one base: what it wants may depend on what the base has.
 * The same recipe on the same base gives the same image.
 */
export interface ImageRecipe {
  /** What history says made the layers, such as `slipway pack`; each layer's label is added to it. */
  readonly tool: string;
  /** Lowest first. */
  readonly steps: readonly RecipeStep[];
  readonly config: ConfigChange;
  /** Annotations of the manifest. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Time of every file, of history and of the image: seconds since the epoch. */
  readonly epochS: number;
}

/** A layer that is wanted, or a line of history without one. */
export type RecipeStep = FilesStep | WeightsStep | PythonStep | ToolStep | MadeStep | HistoryStep;

interface LayerName {
  /** What a person calls the content: in the plan, in progress lines and in history. */
  readonly label: string;
  readonly role: PlannedLayer["kind"];
  /** What history says of the layer. Default: `<tool>: <label>`. */
  readonly createdBy?: string | undefined;
}

/**
 * Files, folders, links and whiteouts as one layer that is compressed where that pays, kept in the store and found again by its
 * content. Entries are taken as they are: `layerEntries` adds the folders above plain files.
 */
export interface FilesStep extends LayerName {
  readonly kind: "files";
  readonly entries: readonly LayerEntry[];
}

/** Files as one plain tar that is never written down: their bytes are read from where they lie when the image is sent. */
export interface WeightsStep extends LayerName {
  readonly kind: "weights";
  readonly entries: readonly LayerEntry[];
}

/** Python packages for the base's own Python, installed below `/opt/slipway/site-packages`: as many layers as they need. */
interface PythonStep {
  readonly kind: "python";
  readonly packages: PythonRequirements;
}

/** What Python packages are wanted. */
export interface PythonRequirements {
  /** Absolute folder in which relative paths start. */
  readonly root: string;
  /** Requirements files, absolute or below `root`. */
  readonly files: readonly string[];
  /** More requirements, as lines of such a file. */
  readonly lines: readonly string[];
  readonly indexes?: IndexOptions | undefined;
  /** Shared libraries, by file name, that packages may miss. */
  readonly ignoreLibraries?: readonly string[] | undefined;
  /** How the command at hand adds Debian packages, for hints. Default: the project file. */
  readonly aptWay?: AptWay | undefined;
}

/** A part of the tool itself, for the base's platform. */
export interface ToolStep {
  readonly kind: "tool";
  readonly tool: "node" | "server" | "boot" | "exporter" | "onnxruntime";
}

/** A layer that was made elsewhere, such as by an instruction that executes. Its blob can be opened as long as the image lives. */
export interface MadeStep extends LayerName {
  readonly kind: "made";
  readonly layer: Layer;
  readonly state: LayerState;
  /** Bytes as stored. */
  readonly size: number;
  readonly digest?: Digest | undefined;
}

/** A line of history that made no layer. */
interface HistoryStep {
  readonly kind: "history";
  readonly createdBy: string;
}

/**
 * What a container of the image runs as, on top of the base's config. What is not named stays as the base has it, except its labels
 * that describe the base alone.
 */
export interface ConfigChange {
  /** Fields that take the place of the base's; `null` removes one. */
  readonly set?: { readonly [Key in SettableField]?: RunConfig[Key] | null } | undefined;
  /** Variables by name; they replace the base's of the same name and stand behind its others. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Folders that join a variable such as `PATH`, in the order given. */
  readonly folders?: readonly FolderList[] | undefined;
  /** Ports such as `9000/tcp`, beside the base's. */
  readonly exposedPorts?: readonly string[] | undefined;
  /** Folders, beside the base's volumes. */
  readonly volumes?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Author of the image. */
  readonly author?: string | undefined;
}

/** Fields of a config that are replaced as a whole. */
export type SettableField = Exclude<keyof RunConfig, "Env" | "Labels">;

/** Folders for a variable that lists folders. */
export interface FolderList {
  readonly variable: string;
  readonly folders: readonly string[];
  /** Before or behind what the variable says already. */
  readonly place: "before" | "behind";
  /** What the variable is taken to say where the base does not set it. */
  readonly fallback: string;
}
