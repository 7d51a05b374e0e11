import type { Signature } from "../tensor/index.ts";
import type { PostprocessSettings, PreprocessSettings } from "./processing.ts";
import type { Contract, Ports, ServerSettings, ServiceType } from "./description.ts";
import type { ModelKind } from "./kinds.ts";
import type { GraphNode } from "./graph-file.ts";

/** What `python:` says. */
export interface PythonSettings {
  /** Major and minor, such as `3.11`. */
  readonly version?: string;
  readonly requirements?: readonly string[];
  readonly indexUrl?: string;
  readonly extraIndexUrl?: readonly string[];
  readonly findLinks?: readonly string[];
  /** Shared libraries that may be missing. */
  readonly ignoreLibraries?: readonly string[];
}

/** Where a node of the project's graph comes from. */
export interface NodeSource {
  /** `File.py:Class`, or the folder of a project, relative to the file's folder. */
  readonly place?: string;
  /** What the class is, where the type of a graph's node has no word for it. */
  readonly service?: ServiceType;
}

/** What `graph:` says. */
export interface ProjectGraph {
  readonly root: GraphNode;
  /** By the names of nodes; all are there. */
  readonly sources: ReadonlyMap<string, NodeSource>;
}

/** What the project file says, checked but without defaults: an absent key was not written. Paths are relative to the file's folder. */
export interface ProjectFile {
  readonly name?: string;
  readonly image?: string;
  readonly model?: string;
  /** What the model is, where its files would do for several. */
  readonly kind?: ModelKind;
  readonly code?: string;
  readonly service?: ServiceType;
  readonly contract?: Contract;
  readonly base?: string;
  readonly platforms?: readonly string[];
  readonly python?: PythonSettings;
  readonly apt?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly ports?: Partial<Ports>;
  readonly server?: ServerSettings;
  /** What a class takes and gives. */
  readonly signature?: Partial<Signature>;
  readonly preprocess?: PreprocessSettings;
  readonly postprocess?: PostprocessSettings;
  readonly ignore?: readonly string[];
  readonly allowSecrets?: boolean | readonly string[];
  /** Dotted names that pickles may import beside those of the allow-list. */
  readonly allowPickle?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Nodes in the place of one model. */
  readonly graph?: ProjectGraph;
}

/** Name of the project file. */
export const PROJECT_FILE_NAME = "slipway.yaml";

/** Largest project file that is read, in bytes. */
export const MAX_PROJECT_FILE_BYTES: number = 2 ** 20;
