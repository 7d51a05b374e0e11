import { openReader } from "../../../ground/bytes/index.ts";
import type { KindRow, ModelFacts, ModelFile } from "../contracts.ts";
import { headOf, invalidModel, modelFileAt, refuseImpostor } from "../files/model-file.ts";
import { predictorFacts } from "./predictor-facts.ts";

const NAME = /\.(?:txt|model|lgb|lgbm|bst|dat)$|(?:^|\/)[^./]+$/i;
const BEGIN = /^tree\r?\nversion=v\d/;
const MAX_HEADER_BYTES = 16 * 2 ** 20;
const REQUIREMENTS = ["lightgbm==4.7.0"];

/** LightGBM's own text format. */
export const lightgbm: KindRow = {
  name: "lightgbm",
  requirements: REQUIREMENTS,
  recognise: (files) =>
    Promise.resolve(
      files.filter(isLightgbm).map(({ path }) => ({
        kind: "lightgbm",
        modelPath: path,
        isCertain: false,
        label: `LightGBM model "${path}"`,
      })),
    ),
  describe: ({ modelPath = "" }, files) =>
    Promise.resolve(describeLightgbm(modelFileAt(files, modelPath))),
};

function isLightgbm(file: ModelFile): boolean {
  return (
    NAME.test(file.path) &&
    file.size > 0 &&
    BEGIN.test(headOf(file).bytes.toString("latin1", 0, 64))
  );
}

function describeLightgbm(file: ModelFile): ModelFacts {
  refuseImpostor(file, "a LightGBM model");
  using reader = openReader(file.location, file.path);
  const text = Buffer.from(reader.at(0, MAX_HEADER_BYTES)).toString("utf8");
  const end = text.search(/^Tree=0\r?$/m);
  const header = end < 0 ? text : text.slice(0, end);
  const lines = header.split(/\r?\n/);
  const values = new Map(
    lines.map((line) => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1)]),
  );
  const sizes = wordsIn(values.get("tree_sizes")).map(Number);
  checkLength({ file, sizes, headerBytes: end < 0 ? reader.size : Buffer.byteLength(header) });
  return headerFacts(file.path, values, sizes.length);
}

function wordsIn(text = ""): readonly string[] {
  return text.split(" ").filter((word) => word !== "");
}

function headerFacts(path: string, values: ReadonlyMap<string, string>, trees: number): ModelFacts {
  const features = Number(values.get("max_feature_idx") ?? Number.NaN) + 1;
  if (!Number.isSafeInteger(features))
    throw invalidModel(path, "it is not a whole LightGBM model: it has no max_feature_idx");
  const classes = Number(values.get("num_class") ?? 1);
  const version = values.get("version") ?? "";
  const isAverage = values.has("average_output");
  const objective = values.get("objective");
  const isOldForest = isAverage && version === "v2";
  return predictorFacts(path, {
    features,
    ...(classes >= 1 && { answers: classes }),
    requirements: REQUIREMENTS,
    warnings: isOldForest
      ? [
          `"${path}" is a random forest of LightGBM 2: releases since 2.3 put a sigmoid on its average, and 2.1 does not`,
        ]
      : [],
    details: {
      format: "text",
      version,
      ...(objective !== undefined && { objective }),
      features,
      featureNames: wordsIn(values.get("feature_names")),
      classes,
      trees,
      averageOutput: isAverage,
    },
  });
}

/** Every tree states its size in bytes. */
function checkLength({
  file,
  sizes,
  headerBytes,
}: {
  readonly file: ModelFile;
  readonly sizes: readonly number[];
  readonly headerBytes: number;
}): void {
  const wanted = headerBytes + sizes.reduce((sum, size) => sum + size, 0);
  if (file.size >= wanted && sizes.length > 0) return;
  throw invalidModel(
    file.path,
    sizes.length === 0
      ? "it is not a whole LightGBM model: it has no tree_sizes"
      : `it is truncated: its ${sizes.length} trees end at byte ${wanted}, and it has ${file.size}`,
    { hint: "copy the file again" },
  );
}
