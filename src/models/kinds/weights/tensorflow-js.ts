import { posix } from "node:path";
import type { KindRow, ModelFacts, ModelFile } from "../contracts.ts";
import { isJsonObject, listIn, MAX_JSON_BYTES, stringIn } from "../files/json-file.ts";
import {
  folderOf,
  headOf,
  invalidModel,
  modelFileAt,
  openModelFile,
  pathIn,
} from "../files/model-file.ts";

const WANT = "a TensorFlow.js model";

/** TensorFlow.js: `model.json` with its weight files, or a manifest of weights alone. Described, not served. */
export const tensorflowJs: KindRow = {
  name: "tfjs",
  requirements: [],
  recognise: (files) =>
    Promise.resolve(
      files.filter(isManifest).map(({ path }) => ({
        kind: "tfjs",
        modelPath: path,
        isCertain: false,
        label: `TensorFlow.js model "${path}"`,
      })),
    ),
  describe: ({ modelPath = "" }, files) =>
    Promise.resolve(describeManifest(modelFileAt(files, modelPath), files)),
};

function isManifest(file: ModelFile): boolean {
  if (/weights_manifest\.json$/i.test(file.path)) return true;
  if (!/\.json$/i.test(file.path) || file.size === 0) return false;
  const { content, bytes } = headOf(file);
  return (
    content === "json" && /"(?:weightsManifest|modelTopology)"\s*:/.test(bytes.toString("utf8"))
  );
}

function describeManifest(file: ModelFile, files: readonly ModelFile[]): ModelFacts {
  using reader = openModelFile(file, WANT);
  if (reader.size > MAX_JSON_BYTES)
    throw invalidModel(file.path, `it is longer than ${MAX_JSON_BYTES} bytes`);
  const value = parse(Buffer.from(reader.at(0, reader.size)).toString("utf8"), file.path);
  const hasTopology = isJsonObject(value) && isJsonObject(value["modelTopology"]);
  const groups = (
    Array.isArray(value) ? value : isJsonObject(value) ? listIn(value, "weightsManifest") : []
  ).filter(isJsonObject);
  const weights = groups.flatMap((group) => listIn(group, "weights")).filter(isJsonObject);
  const paths = groups.flatMap((group) => listIn(group, "paths")).map(String);
  const missing = paths.filter(
    (path) => !files.some((one) => one.path === pathIn(folderOf(file.path), posix.normalize(path))),
  );
  const format = isJsonObject(value) ? stringIn(value, "format") : undefined;
  return {
    files: [
      file.path,
      ...paths
        .filter((path) => !missing.includes(path))
        .map((path) => pathIn(folderOf(file.path), posix.normalize(path))),
    ],
    warnings: [],
    details: {
      what: hasTopology ? "TensorFlow.js model" : "TensorFlow.js weights manifest",
      ...(format !== undefined && { format }),
      weights: weights.length,
      paths,
      ...(missing.length > 0 && { missing }),
    },
    obstacle: {
      code: "UNSUPPORTED",
      why: `it is a TensorFlow.js ${hasTopology ? "model" : "weights manifest"}, a kind that is described and not served${missing.length === 0 ? "" : `; ${missing.slice(0, 5).join(", ")} ${missing.length === 1 ? "is" : "are"} missing`}`,
      hint: "serve the model that it was converted from",
    },
  };
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalidModel(path, `it is not ${WANT}: it is no JSON`, { cause });
  }
}
