import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  SERVER_DEFAULTS,
  type ModelName,
  type PredictorFacts,
  type ServedModel,
} from "../plane/index.ts";
import type { ModelDescription, ServerSettings } from "../../models/description/index.ts";
import type { TensorSpec } from "../../models/tensor/index.ts";
import type { Plane } from "../protocols/index.ts";

/** What the page shows of a server: `/ui/server.json`. */
export interface ServerDocument {
  readonly version: string;
  /** The protocol that the server was started for. */
  readonly contract: string;
  readonly grpcPort?: number;
  readonly models: readonly ModelDocument[];
}

/** One version of a model. */
export interface ModelDocument {
  readonly name: string;
  readonly version: string;
  /** As the server has it; `asleep` where it loads with its first call. */
  readonly state: string;
  readonly isReady: boolean;
  /** Why it is not ready; empty when it is. */
  readonly reason: string;
  /** This and the next two are absent until it has been loaded once. */
  readonly kind?: string;
  readonly service?: string;
  readonly platform?: string;
  readonly takesTensors: boolean;
  readonly takesRawBody: boolean;
  readonly joinsRows: boolean;
  /** True where the project says how pictures become its inputs, which the server does for a picture that is uploaded. */
  readonly isPrepared: boolean;
  /** Empty when only user code knows. */
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Names of classes by index, by the name of an output. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  /** Bytes of the model's files; absent where it has none of its own. */
  readonly sizeBytes?: number;
  /** Over the model's files, `sha256:…`, as answers tell it; absent until it is known. */
  readonly digest?: string;
  readonly limits: Required<Omit<ServerSettings, "workerMemoryMib" | "padValue">>;
}

export interface DocumentSource {
  readonly plane: Plane;
  /** What a model was loaded by last; undefined before its first load. */
  readonly describe: (model: ModelName) => ModelDescription | undefined;
  readonly grpcPort: number | undefined;
}

/** Reads what there is to be shown at this moment. */
export async function serverDocument({
  plane,
  describe,
  grpcPort,
}: DocumentSource): Promise<ServerDocument> {
  return {
    version: plane.version,
    contract: plane.description.contract,
    ...(grpcPort !== undefined && { grpcPort }),
    models: await Promise.all(
      plane.models.models.map(async (model) => modelDocument(model, describe(model))),
    ),
  };
}

async function modelDocument(
  model: ServedModel,
  description: ModelDescription | undefined,
): Promise<ModelDocument> {
  const { name, version, isAsleep, isLoaded, isReady, reason } = model;
  const { kind, service, modelPath, server = {} } = description ?? {};
  const sizeBytes = modelPath === undefined ? undefined : await sizeOf(modelPath);
  return {
    ...{ name, version, isReady, state: isAsleep ? "asleep" : model.state },
    reason: isReady || isAsleep ? "" : reason,
    ...(kind !== undefined && { kind }),
    ...(service !== undefined && { service }),
    ...(isLoaded ? factsIn(model.predictor.describe()) : { ...UNLOADED, takesTensors: isAsleep }),
    ...(sizeBytes !== undefined && { sizeBytes }),
    limits: { ...SERVER_DEFAULTS, ...server },
  };
}

type Facts = Pick<
  ModelDocument,
  | "platform"
  | "digest"
  | "takesTensors"
  | "takesRawBody"
  | "joinsRows"
  | "isPrepared"
  | "inputs"
  | "outputs"
  | "labels"
>;

/** Of a model that has not been loaded, and is not asked. */
const UNLOADED: Facts = {
  ...{ takesTensors: false, takesRawBody: false, joinsRows: false },
  isPrepared: false,
  ...{ inputs: [], outputs: [], labels: {} },
};

function factsIn(facts: PredictorFacts): Facts {
  const { platform, takesTensors, takesRawBody, joinsRows, signature, labels = {} } = facts;
  const { inputs = [], outputs = [] } = signature ?? {};
  const isPrepared = facts.preprocess !== undefined;
  const digest = facts.identity?.model;
  return {
    ...{ platform, takesTensors, takesRawBody, joinsRows, isPrepared, inputs, outputs, labels },
    ...(digest !== undefined && { digest }),
  };
}

/** Files that are looked at to tell a size; what is larger is no model that people look at. */
const MAX_FILES = 10_000;

/** Bytes of a file, or of all files below a folder; undefined where it cannot be read. Links are not followed. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const stats = await stat(path);
    if (!stats.isDirectory()) return stats.size;
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).slice(0, MAX_FILES);
    const sizes = await Promise.all(
      files.map(async (file) => (await stat(join(file.parentPath, file.name))).size),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined; // of the file system: the size is not told
    throw error;
  }
}
