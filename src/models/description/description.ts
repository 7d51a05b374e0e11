import type { Signature } from "../tensor/index.ts";
import type { ModelKind } from "./kinds.ts";
import type { PostprocessSettings, PreprocessSettings } from "./processing.ts";

/** Names of the protocols that an image can be made for; the server has a row for each. The first one is the default. */
export const CONTRACTS = ["seldon", "uai", "kserve", "model-server"] as const;

/** Which class contract and default ports an image follows. */
export type Contract = (typeof CONTRACTS)[number];

/** The role that a component plays in a Seldon graph. */
export type ServiceType = "MODEL" | "ROUTER" | "TRANSFORMER" | "COMBINER" | "OUTLIER_DETECTOR";

/** A user class. `file` is relative to the code folder; `name` is the class or exported symbol. */
export interface CodeEntry {
  readonly file: string;
  readonly name: string;
  readonly language: "python" | "javascript";
}

/** Limits of the server; each has a documented default. */
export interface ServerSettings {
  /** Worker processes per model. Default 1. */
  readonly workers?: number;
  /** Rows joined into one call at the most. Default 1, that is, no batching. */
  readonly maxBatch?: number;
  /** Longest time a row waits for company, in ms. Default: learned, at most 5, for named tensors; 0 for classes of Seldon. */
  readonly maxWaitMs?: number;
  /** Number that requests of different lengths are padded with, so that they are joined. Default: they are not. */
  readonly padValue?: number;
  /** Largest request body, in bytes. Default 104857600. */
  readonly maxBodyBytes?: number;
  /** Longest time for one call of the model, in ms. Default 60000. */
  readonly timeoutMs?: number;
  /** Calls that may wait for a worker; more are refused. Default 1024. */
  readonly maxQueue?: number;
  /** Private memory at which a worker is ended, in MiB. Default: no limit. */
  readonly workerMemoryMib?: number;
}

export interface Ports {
  readonly http: number;
  readonly grpc?: number;
  readonly metrics?: number;
}

/**
 * Everything a server must know of a model, and nothing of how it was packed. Baked into the image as
 * `/opt/slipway/model.json` and made on the fly by `slipway serve DIR`. Paths are absolute where they are used.
 */
export interface ModelDescription {
  readonly schemaVersion: 1;
  readonly name: string;
  readonly kind: ModelKind;
  readonly contract: Contract;
  readonly service: ServiceType;
  /** The model file or folder; absent when user code brings everything itself. */
  readonly modelPath?: string;
  /** The folder that user code is imported from; also the working directory. */
  readonly codePath?: string;
  readonly code?: CodeEntry;
  /** Absent when only user code knows it. */
  readonly signature?: Signature;
  readonly ports: Ports;
  readonly server: ServerSettings;
  /** Interpreter and extra import folders for Python code. */
  readonly python?: { readonly executable: string; readonly path: readonly string[] };
  /** Dotted names that pickles may import beside those of the allow-list. */
  readonly allowPickle?: readonly string[];
  /** How uploaded pictures become tensors. */
  readonly preprocess?: PreprocessSettings;
  /** What is made of outputs. */
  readonly postprocess?: PostprocessSettings;
  /** Names of classes by index; of a detection model by the number of the class. */
  readonly labels?: readonly string[];
}
