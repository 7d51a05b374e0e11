import type { ModelKind, ServerSettings } from "../description/index.ts";

/** Whose conventions a model's folder follows. */
type RepositoryLayout = "plain" | "triton" | "mlserver" | "tensorflow-serving";

/** One version of a model, to be served. */
interface RepositoryVersion {
  /** As protocols name it; numbers sort by value. */
  readonly version: string;
  /** Absolute path of the folder that holds it; read as a project of its own. */
  readonly folder: string;
}

/** A model of a folder of models, with the versions that are to be served. */
export interface RepositoryModel {
  readonly name: string;
  readonly layout: RepositoryLayout;
  /** At least one, lowest first. */
  readonly versions: readonly RepositoryVersion[];
  /** Versions by label, such as `stable`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Shares of the calls that name no version, by version. */
  readonly weights?: Readonly<Record<string, number>>;
  /** What the layout's own files say of how it is served. */
  readonly server: ServerSettings;
  /** The model's file or folder, relative to the folder of a version. Absent: what is found there. */
  readonly model?: string;
  /** The user's class, as `FILE:CLASS`. */
  readonly code?: string;
  readonly kind?: ModelKind;
  /** What the model's own file says and what has no effect here. */
  readonly ignored: readonly string[];
}

/** What a folder of models holds. */
export interface ModelFolders {
  /** By name. */
  readonly models: readonly RepositoryModel[];
  /** Models whose own files are wrong, with the reason. They do not stop the others. */
  readonly refused: readonly { readonly name: string; readonly why: string }[];
}
