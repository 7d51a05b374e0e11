import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { parseYaml } from "../../description/index.ts";
import type { ModelKind } from "../../description/index.ts";
import type { Candidate, Detail, KindRow, ModelFile } from "../contracts.ts";
import { isJsonObject, objectIn, stringIn, type JsonObject } from "../files/json-file.ts";
import {
  filesUnder,
  folderOf,
  invalidModel,
  modelFileAt,
  pathIn,
  refuseImpostor,
} from "../files/model-file.ts";

const FILE = "MLmodel";
const MAX_BYTES = 2 ** 20;
/** Flavours of ours, best first: the kind, and the keys that may name the file. */
const FLAVOURS: Readonly<
  Record<string, { readonly kind: ModelKind; readonly keys: readonly string[] }>
> = {
  onnx: { kind: "onnx", keys: ["data"] },
  sklearn: { kind: "sklearn", keys: ["pickled_model"] },
  xgboost: { kind: "xgboost", keys: ["data"] },
  lightgbm: { kind: "lightgbm", keys: ["data"] },
  catboost: { kind: "catboost", keys: ["data"] },
  keras: { kind: "keras", keys: ["data"] },
  tensorflow: { kind: "tf-savedmodel", keys: ["saved_model_dir", "data"] },
  pytorch: { kind: "pytorch", keys: ["model_data"] },
};

/**
 * A folder that MLflow saved. One with a flavour of ours is found as a model of that kind, whose files it names; this row describes those
 * that have none.
 */
export const mlflow: KindRow = {
  name: "mlflow",
  requirements: [],
  recognise: (files) =>
    Promise.all(
      files
        .filter(({ path }) => posix.basename(path) === FILE)
        .map(async (file) => candidateOf(file, files)),
    ),
  describe: async ({ modelPath = "" }, files) => {
    const folder = modelPath === "." ? "" : modelPath;
    const file = modelFileAt(files, pathIn(folder, FILE));
    const mlmodel = await readMlmodel(file);
    const flavours = objectIn(mlmodel, "flavors");
    const names = Object.keys(flavours);
    if (names.length === 0)
      throw invalidModel(file.path, "it is no MLflow model: it has no flavour");
    return {
      files: filesUnder(files, folder).map(({ path }) => path),
      warnings: [],
      details: aboutOf(mlmodel, flavours),
      obstacle: {
        code: "UNSUPPORTED",
        why: `it has no flavour that is served here: it has ${names.join(", ")}`,
        hint: "write a class that loads it, or log the model in another flavour too",
      },
    };
  },
};

async function candidateOf(file: ModelFile, files: readonly ModelFile[]): Promise<Candidate> {
  const folder = folderOf(file.path);
  const name = folder === "" ? "." : folder;
  const inside = await flavourOf(file, files);
  return {
    kind: inside?.kind ?? "mlflow",
    modelPath: inside?.path ?? name,
    isCertain: false,
    label: `MLflow model "${name}"${inside === undefined ? "" : ` (${inside.flavour})`}`,
    parts: filesUnder(files, folder).map(({ path }) => path),
    ...(inside !== undefined && { about: inside.about }),
  };
}

interface Flavour {
  readonly kind: ModelKind;
  readonly flavour: string;
  readonly path: string;
  readonly about: Readonly<Record<string, Detail>>;
}

/** A damaged MLmodel is left for the description to complain of. */
async function flavourOf(
  file: ModelFile,
  files: readonly ModelFile[],
): Promise<Flavour | undefined> {
  if (file.size > MAX_BYTES) return undefined;
  const mlmodel = await parseMlmodel(readFileSync(file.location, "utf8"));
  if (mlmodel === undefined) return undefined;
  const flavours = objectIn(mlmodel, "flavors");
  const folder = folderOf(file.path);
  for (const [flavour, { kind, keys }] of Object.entries(FLAVOURS)) {
    if (!(flavour in flavours)) continue;
    const stated = objectIn(flavours, flavour);
    const data = keys.map((key) => stringIn(stated, key)).find((one) => one !== undefined);
    const found = modelIn(pathIn(folder, posix.normalize(data ?? "")), kind, files);
    if (found !== undefined) return { ...found, flavour, about: aboutOf(mlmodel, flavours) };
  }
  return undefined;
}

/** The file itself, or what stands in the folder that is named. */
function modelIn(
  path: string,
  kind: ModelKind,
  files: readonly ModelFile[],
): { readonly kind: ModelKind; readonly path: string } | undefined {
  if (files.some((file) => file.path === path)) return { kind, path };
  const under = filesUnder(files, path).map((file) => file.path);
  const saved = under.find((one) => posix.basename(one) === "saved_model.pb");
  if (saved !== undefined) return { kind: "tf-savedmodel", path: folderOf(saved) };
  const keras = under.find((one) => /\.(?:keras|h5)$/.test(one));
  if (keras !== undefined) return { kind: "keras", path: keras };
  const torch = under.find((one) => /\.(?:pth|pt|pt2)$/.test(one));
  return torch === undefined ? undefined : { kind: "pytorch", path: torch };
}

function aboutOf(mlmodel: JsonObject, flavours: JsonObject): Readonly<Record<string, Detail>> {
  const version = stringIn(mlmodel, "mlflow_version");
  const signature = objectIn(mlmodel, "signature");
  const stated = Object.entries(signature).flatMap(([key, value]) =>
    typeof value === "string" ? [[key, value]] : [],
  );
  return {
    mlflow: {
      flavours: Object.keys(flavours),
      ...(version !== undefined && { version }),
      ...(stated.length > 0 && { signature: Object.fromEntries(stated) }),
    },
  };
}

async function readMlmodel(file: ModelFile): Promise<JsonObject> {
  refuseImpostor(file, "an MLflow model");
  if (file.size > MAX_BYTES) throw invalidModel(file.path, `it is longer than ${MAX_BYTES} bytes`);
  const mlmodel = await parseMlmodel(readFileSync(file.location, "utf8"));
  if (mlmodel === undefined)
    throw invalidModel(file.path, "it is not an MLflow model: it is no YAML");
  return mlmodel;
}

async function parseMlmodel(text: string): Promise<JsonObject | undefined> {
  try {
    const value = await parseYaml(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined; // whatever is wrong with it, it is no MLmodel
  }
}
