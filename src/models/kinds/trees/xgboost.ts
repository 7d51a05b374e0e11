import { openReader } from "../../../ground/bytes/index.ts";
import type { Candidate, Detail, KindRow, ModelFacts, ModelFile } from "../contracts.ts";
import {
  isJsonObject,
  listIn,
  MAX_JSON_BYTES,
  numberIn,
  objectIn,
  parseJsonObject,
  stringIn,
  type JsonObject,
} from "../files/json-file.ts";
import { headOf, invalidModel, modelFileAt, refuseImpostor } from "../files/model-file.ts";
import { predictorFacts } from "./predictor-facts.ts";
import { readUbjson, SkippedList, UbjsonError, type UbjsonValue } from "./ubjson.ts";
import { looksLikeXgboost, readXgboostBinary, XgboostBinaryError } from "./xgboost-binary.ts";

const WANT = "an XGBoost model";
const NAME = /\.(?:json|ubj|model|xgb|bin|bst|deprecated|dat)$|(?:^|\/)[^./]+$/i;
/** The old binary format left XGBoost with release 3.1. */
const BINARY_NEEDS = ["xgboost-cpu==2.1.4"];
const NEEDS = ["xgboost-cpu==3.2.0"];
const EDGE_BYTES = 2 ** 20;

/** XGBoost's own files: JSON, UBJSON, and the binary format of releases before 2. */
export const xgboost: KindRow = {
  name: "xgboost",
  requirements: NEEDS,
  recognise: (files) =>
    Promise.resolve(
      files.filter(isXgboost).map(({ path }): Candidate => ({
        kind: "xgboost",
        modelPath: path,
        isCertain: false,
        label: `XGBoost model "${path}"`,
      })),
    ),
  describe: ({ modelPath = "" }, files) => {
    const file = modelFileAt(files, modelPath);
    refuseImpostor(file, WANT);
    const form = formOf(file);
    if (form === "json") return Promise.resolve(describeJson(file));
    return Promise.resolve(form === "binary" ? describeBinary(file) : describeUbj(file));
  },
};

function isXgboost(file: ModelFile): boolean {
  if (/\.ubj$/i.test(file.path)) return true;
  return NAME.test(file.path) && file.size > 0 && formOf(file) !== undefined;
}

function formOf(file: ModelFile): "json" | "ubj" | "binary" | undefined {
  const { content, bytes } = headOf(file);
  if (
    content === "json" &&
    /^\s*\{\s*"(?:learner|Config|version)"/.test(bytes.toString("latin1", 0, 64))
  )
    return /"learner"\s*:/.test(bytes.toString("latin1")) ? "json" : undefined;
  if (/\.ubj$/i.test(file.path)) return "ubj";
  if (bytes.toString("latin1", 0, 2) === "{L" && bytes.includes("learner")) return "ubj";
  return looksLikeXgboost(bytes) ? "binary" : undefined;
}

function describeBinary(file: ModelFile): ModelFacts {
  using reader = openReader(file.location, file.path);
  try {
    const { features, classes, objective, booster, trees, version } = readXgboostBinary(reader);
    return predictorFacts(file.path, {
      features,
      answers: answersOf(objective, classes),
      requirements: BINARY_NEEDS,
      details: {
        format: "binary (deprecated)",
        features,
        classes,
        objective,
        booster,
        ...(trees !== undefined && { trees }),
        ...(version !== undefined && { xgboostVersion: version }),
      },
    });
  } catch (cause) {
    if (!(cause instanceof XgboostBinaryError)) throw cause;
    throw invalidModel(file.path, `it is not a whole XGBoost model: ${cause.message}`, { cause });
  }
}

/** Objectives that give one number for each class. */
function answersOf(objective: string, classes: number): number {
  return objective === "multi:softprob" ? classes : 1;
}

function describeJson(file: ModelFile): ModelFacts {
  using reader = openReader(file.location, file.path);
  if (reader.size <= MAX_JSON_BYTES) {
    const model = parseJsonObject(reader.at(0, reader.size), file.path, `${WANT}, or truncated`);
    return documentFacts(file.path, "json", model);
  }
  // A long model: its parameters stand before and after its trees.
  const ends = [reader.at(0, EDGE_BYTES), reader.at(reader.size - EDGE_BYTES, EDGE_BYTES)];
  const text = ends.map((bytes) => Buffer.from(bytes).toString("utf8")).join("");
  if (!text.trimEnd().endsWith("}"))
    throw invalidModel(file.path, "it is not a whole XGBoost model: it is truncated");
  const one = (key: string): string =>
    new RegExp(`"${key}"\\s*:\\s*"([^"]*)"`).exec(text)?.[1] ?? "";
  const parameter = { num_feature: one("num_feature"), num_class: one("num_class") };
  return documentFacts(file.path, "json", {
    learner: { learner_model_param: parameter, objective: { name: one("name") } },
  });
}

function describeUbj(file: ModelFile): ModelFacts {
  using reader = openReader(file.location, file.path);
  try {
    const value = plainOf(readUbjson(reader));
    if (!isJsonObject(value)) throw new UbjsonError("it holds no object");
    return documentFacts(file.path, "ubj", value);
  } catch (cause) {
    if (!(cause instanceof UbjsonError)) throw cause;
    throw invalidModel(file.path, `it is not a whole XGBoost model: ${cause.message}`, { cause });
  }
}

function plainOf(value: UbjsonValue): unknown {
  if (value instanceof SkippedList) return [];
  if (Array.isArray(value)) return value.map((item: UbjsonValue) => plainOf(item));
  return value instanceof Map
    ? Object.fromEntries([...value].map(([key, item]) => [key, plainOf(item)]))
    : value;
}

/** @see xgboost, doc/model.schema */
function documentFacts(path: string, format: string, model: JsonObject): ModelFacts {
  const learner = objectIn(model, "learner");
  const parameter = objectIn(learner, "learner_model_param");
  const features = numberIn(parameter, "num_feature");
  if (features === undefined)
    throw invalidModel(path, `it is not ${WANT}: it has no learner_model_param`);
  const classes = numberIn(parameter, "num_class") ?? 0;
  const objective = stringIn(objectIn(learner, "objective"), "name") ?? "";
  const booster = objectIn(learner, "gradient_booster");
  const names = listIn(learner, "feature_names").filter((name) => typeof name === "string");
  const version = listIn(model, "version").join(".");
  const trees = numberIn(objectIn(objectIn(booster, "model"), "gbtree_model_param"), "num_trees");
  const details: Record<string, Detail> = { format, objective, features, classes };
  const boosterName = stringIn(booster, "name");
  if (boosterName !== undefined) details["booster"] = boosterName;
  if (names.length > 0) details["featureNames"] = names;
  if (version !== "") details["xgboostVersion"] = version;
  if (trees !== undefined) details["trees"] = trees;
  return predictorFacts(path, {
    features,
    answers: answersOf(objective, classes),
    requirements: NEEDS,
    details,
  });
}
