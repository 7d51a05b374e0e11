import type {
  CodeEntry,
  Contract,
  ModelDescription,
  ModelKind,
  Ports,
  ServerSettings,
  ServiceType,
} from "../../models/description/index.ts";
import type { Signature } from "../../models/tensor/index.ts";
import type { AptWay, IndexOptions } from "../python-packages/index.ts";

/** A project with everything decided; paths absolute. */
export interface PackProject {
  readonly root: string;
  readonly name: string;
  readonly kind: ModelKind;
  /** Packs the weights alone, on nothing. Default false. */
  readonly isWeightsAlone?: boolean | undefined;
  /** Kinds of which an image without a model fetches one when it starts. Absent for an image of a model. */
  readonly fetchedKinds?: readonly ModelKind[] | undefined;
  /** File or folder below `root`; absent when user code brings everything itself. */
  readonly modelPath?: string | undefined;
  /** Dotted names that pickles may import beside those of the allow-list. */
  readonly allowPickle?: readonly string[];
  /** Files that the model is made of, relative to `root`; they are weights whatever their names. */
  readonly modelFiles?: readonly string[] | undefined;
  readonly code?: CodeEntry | undefined;
  readonly signature?: Signature | undefined;
  /** What the description says of pictures, of answers and of classes. */
  readonly processing?:
    | Pick<ModelDescription, "preprocess" | "postprocess" | "labels" | "signature">
    | undefined;
  readonly contract: Contract;
  readonly service: ServiceType;
  readonly ports: Ports;
  readonly server: ServerSettings;
  /** Starts a server that the base brings: nothing of ours goes in, and the base's user stays. Absent when our server serves. */
  readonly startCommand?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Requirements files, relative to `root`. */
  readonly requirements: readonly string[];
  /** More requirements, as lines of such a file. */
  readonly requirementLines: readonly string[];
  readonly indexes?: IndexOptions | undefined;
  /** The Python that the base must have, such as `3.11`. */
  readonly pythonVersion?: string | undefined;
  /** Shared libraries that Python packages may miss. */
  readonly ignoreLibraries?: readonly string[] | undefined;
  /** How the command at hand adds Debian packages, for hints. Default: the project file. */
  readonly aptWay?: AptWay | undefined;
  readonly ignore: readonly string[];
  /** Files that the tool adds, by their path in the image without a leading slash; they take the place of the project's own. */
  readonly added?: readonly { readonly path: string; readonly bytes: Uint8Array }[] | undefined;
  /** Patterns of files in which secrets are allowed. */
  readonly allowSecrets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Seconds since the epoch, `SOURCE_DATE_EPOCH`. Default 0. */
  readonly epochS: number;
}
