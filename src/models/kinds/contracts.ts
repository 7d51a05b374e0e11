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
}

/** What a reader found: one model, without its content having been read. */
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
}

/** What the files themselves say of a model. */
export interface ModelFacts {
  readonly signature?: Signature;
  /** Every file that the model is made of, relative like `ModelFile.path`. */
  readonly files: readonly string[];
  /** What the user should know and may not see otherwise, one sentence each. */
  readonly warnings: readonly string[];
  /** Python packages that loading needs, as lines of a requirements file; used where the project has none. */
  readonly requirements?: readonly string[];
  /** Small facts for labels and reports, such as `producer` or `opset`. */
  readonly details: Readonly<Record<string, string>>;
}

/** Knows one kind of model. A new kind is one more of these in `readers.ts`. */
export interface FormatReader {
  readonly kind: ModelKind;
  /** Looks at names, and at the beginnings of files where a name is not enough. */
  find(files: readonly ModelFile[], options?: ReadOptions): Promise<readonly Candidate[]>;
  /** Reads what the files say; never the weights. @throws ProjectError `MODEL_FILE_INVALID` naming the file. */
  read(
    candidate: Candidate,
    files: readonly ModelFile[],
    options?: ReadOptions,
  ): Promise<ModelFacts>;
}
