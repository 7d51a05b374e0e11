import { openReader } from "../../../ground/bytes/index.ts";
import type { KindRow, ModelFacts, ModelFile } from "../contracts.ts";
import { FlatBufferError, FlatTable } from "../files/flatbuffer.ts";
import { isJsonObject, listIn, objectIn, stringIn, type JsonObject } from "../files/json-file.ts";
import { headOf, invalidModel, modelFileAt, refuseImpostor } from "../files/model-file.ts";
import { predictorFacts } from "./predictor-facts.ts";

const MAGIC = "CBM1";
const REQUIREMENTS = ["catboost==1.2.10"];

/** CatBoost's own binary format, `.cbm`. */
export const catboost: KindRow = {
  name: "catboost",
  requirements: REQUIREMENTS,
  recognise: (files) =>
    Promise.resolve(
      files.filter(isCatboost).map(({ path }) => ({
        kind: "catboost",
        modelPath: path,
        isCertain: false,
        label: `CatBoost model "${path}"`,
      })),
    ),
  describe: ({ modelPath = "" }, files) =>
    Promise.resolve(describeCatboost(modelFileAt(files, modelPath))),
};

function isCatboost(file: ModelFile): boolean {
  if (/\.cbm$/i.test(file.path)) return true;
  return (
    /\.(?:model|bin|dat)$|(?:^|\/)[^./]+$/i.test(file.path) &&
    file.size > 0 &&
    headOf(file).bytes.toString("latin1", 0, 4) === MAGIC
  );
}

/** @see catboost, libs/model/flatbuffers/model.fbs, TModelCore and TModelTrees */
function describeCatboost(file: ModelFile): ModelFacts {
  refuseImpostor(file, "a CatBoost model");
  using reader = openReader(file.location, file.path);
  const head = Buffer.from(reader.at(0, 8));
  if (head.toString("latin1", 0, 4) !== MAGIC)
    throw invalidModel(file.path, "it is not a CatBoost model");
  if (head.byteLength < 8 || head.readUInt32LE(4) + 8 > reader.size)
    throw invalidModel(file.path, "it is not a whole CatBoost model: it is truncated");
  try {
    const core = FlatTable.open(reader, 8);
    const trees = core.table(1);
    if (trees === undefined) throw new FlatBufferError("it has no trees");
    return catboostFacts(file.path, trees, infoOf(core));
  } catch (cause) {
    if (!(cause instanceof FlatBufferError)) throw cause;
    throw invalidModel(file.path, `it is not a CatBoost model: ${cause.message}`, { cause });
  }
}

function catboostFacts(
  path: string,
  trees: FlatTable,
  info: ReadonlyMap<string, string>,
): ModelFacts {
  const floats = trees.tables(5);
  const categories = trees.tables(4);
  const features = [
    ...floats.map((one) => [one.int(2, -1), one.text(4)] as const),
    ...categories.map((one) => [one.int(1, -1), one.text(2)] as const),
  ];
  const count = features.reduce((most, [index]) => Math.max(most, index + 1), 0);
  const names = features.toSorted(([a], [b]) => a - b).map(([, name]) => name ?? "");
  const answers = trees.int(0, 1);
  const lossName = stringIn(objectIn(jsonOf(info.get("params")), "loss_function"), "type");
  const labels = listIn(jsonOf(info.get("class_params")), "class_to_label").map(String);
  const hasNames = names.some((name) => name !== "");
  return predictorFacts(path, {
    features: categories.length > 0 ? 0 : count,
    answers,
    requirements: REQUIREMENTS,
    ...(labels.length > 0 && { labels }),
    details: {
      format: "cbm",
      features: count,
      categoricalFeatures: categories.length,
      trees: trees.count(2),
      dimensions: answers,
      ...(lossName !== undefined && { objective: lossName }),
      ...(hasNames && { featureNames: names }),
      ...(labels.length > 0 && { classes: labels }),
      ...(info.has("catboost_version_info") && {
        catboostVersion: versionIn(info.get("catboost_version_info") ?? ""),
      }),
    },
  });
}

function infoOf(core: FlatTable): ReadonlyMap<string, string> {
  return new Map(core.tables(2).map((pair) => [pair.text(0) ?? "", pair.text(1) ?? ""]));
}

function jsonOf(text: string | undefined): JsonObject {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return isJsonObject(value) ? value : {};
  } catch {
    return {}; // facts beside the model, which may be anything
  }
}

function versionIn(text: string): string {
  return /\b\d+\.\d+(?:\.\d+)*\b/.exec(text)?.[0] ?? text.slice(0, 64);
}
