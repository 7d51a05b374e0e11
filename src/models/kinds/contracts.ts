import type { CallOptions } from "../../ground/bytes/index.ts";
import type { CodeEntry, ModelKind } from "../description/index.ts";
import type { Signature } from "../tensor/index.ts";

/** A file that may be part of a model. */
export interface ModelFile {
  /** Relative to the folder that is looked at, parts joined by `/`. */
  readonly path: string;
  /** Absolute. */
  readonly location: string;
  /** Bytes. */
  readonly size: number;
  /** Another one means other content; absent when nothing is to be remembered of the file. */
  readonly identity?: string | undefined;
}

/** Small JSON values that can be made again. */
export interface FactMemory {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
}

export interface ReadOptions extends CallOptions {
  /** What was read of a file is kept here, so that an unchanged file is not read again. */
  readonly memory?: FactMemory | undefined;
  /** Dotted names that pickles may import beside those of the allow-list. Default none. */
  readonly allowPickle?: readonly string[] | undefined;
}

/** What a kind found: one model, of which little has been read. */
export interface Candidate {
  readonly kind: ModelKind;
  /** The file or folder that the runtime is given; absent for user code that brings its own. */
  readonly modelPath?: string;
  /** The user class; absent for models that need none. */
  readonly code?: CodeEntry;
  /** True when the find follows a convention that leaves no doubt, such as class `IrisModel` in `IrisModel.py`. */
  readonly isCertain: boolean;
  /** One phrase for people: `ONNX model "model.onnx"`. */
  readonly label: string;
  /** Files and folders that are part of this model; a candidate that lies whole in another one's parts is dropped. */
  readonly parts?: readonly string[];
  /** True when little speaks for it: it is looked at only when nothing else was found. */
  readonly isDoubtful?: boolean;
  /** Details that are known from what lies around the model. */
  readonly about?: Readonly<Record<string, Detail>>;
}

/** A value of JSON. */
export type Detail =
  | string
  | number
  | boolean
  | null
  | readonly Detail[]
  | { readonly [name: string]: Detail };

/** An input, output or weight as the file states it, also where no request can carry it. */
export interface StatedTensor {
  readonly name: string;
  /** An Open Inference name where there is one, else the file's own word, such as `complex64`. Absent when not stated. */
  readonly datatype?: string;
  /** -1 for an axis of any length; `null` when not even the number of axes is stated. */
  readonly shape: readonly number[] | null;
  /** Names of axes, `null` for those that have none. */
  readonly axes?: readonly (string | null)[];
  /** True for an input that has a value of its own. */
  readonly isOptional?: boolean;
  /** What it is called inside the graph, such as `serving_default_x:0`. */
  readonly tensor?: string;
}

/** Why a model that could be described is not served as it lies. */
export interface Obstacle {
  /** `MODEL_FILE_INVALID`: a part is missing; `UNSUPPORTED`: it is whole, and no runtime of ours takes it. */
  readonly code: "MODEL_FILE_INVALID" | "UNSUPPORTED";
  /** Follows `serve "PATH": `. */
  readonly why: string;
  readonly hint: string;
}

/** What the files themselves say of a model. */
export interface ModelFacts {
  /** What requests are checked against; absent when the files do not say all of it. */
  readonly signature?: Signature;
  /** What the model takes and gives, as the files state it; `signature` where these are absent. */
  readonly inputs?: readonly StatedTensor[];
  readonly outputs?: readonly StatedTensor[];
  /** Every file that the model is made of, relative like `ModelFile.path`. A folder stands for all that is in it. */
  readonly files: readonly string[];
  /** What the user should know and may not see otherwise, one sentence each. */
  readonly warnings: readonly string[];
  /** Python packages that loading needs, as lines of a requirements file; used where the project has none. */
  readonly requirements?: readonly string[];
  /** Names of classes, in the order of the answer's axis. */
  readonly labels?: readonly string[];
  /** Small facts for labels and reports, such as `producer` or `opset`. */
  readonly details: Readonly<Record<string, Detail>>;
  /** Present when the model cannot be served as it lies. */
  readonly obstacle?: Obstacle;
}

/** One kind of model. A new kind is its name and what runs it in `models/description/kinds.ts`, one more of these in `rows.ts`, and one file in `python/slipway_worker/kinds` when Python runs it. */
export interface KindRow {
  readonly name: ModelKind;
  /** Python packages that serve it when the files do not ask for others, as lines of a requirements file. */
  readonly requirements: readonly string[];
  /** Looks at names, and at the beginnings of files where a name is not enough. */
  recognise(files: readonly ModelFile[], options?: ReadOptions): Promise<readonly Candidate[]>;
  /**
   * Reads what the files say; never all of the weights.
   * @throws ProjectError `MODEL_FILE_INVALID` naming the file that is damaged or missing; `PICKLE_REFUSED`.
   */
  describe(
    candidate: Candidate,
    files: readonly ModelFile[],
    options?: ReadOptions,
  ): Promise<ModelFacts>;
}
