import type { KindRow, ModelFacts, ModelFile } from "../contracts.ts";
import { isJsonObject, parseJsonObject, stringIn, type JsonObject } from "../files/json-file.ts";
import { invalidModel, modelFileAt, refuseImpostor } from "../files/model-file.ts";
import { openZip } from "../files/zip-file.ts";

const WANT = "a skops model";
const SCHEMA = "schema.json";
const MAX_SCHEMA_BYTES = 32 * 2 ** 20;
const MAX_NODES = 2_000_000;

/** An estimator of scikit-learn in skops' archive, which holds no pickle. */
export const skops: KindRow = {
  name: "skops",
  requirements: ["skops==0.16.0", "scikit-learn==1.7.2"],
  recognise: (files) =>
    Promise.resolve(
      files
        .filter(({ path }) => /\.skops$/i.test(path))
        .map(({ path }) => ({
          kind: "skops",
          modelPath: path,
          isCertain: false,
          label: `skops model "${path}"`,
        })),
    ),
  describe: ({ modelPath = "" }, files) => describeSkops(modelFileAt(files, modelPath)),
};

async function describeSkops(file: ModelFile): Promise<ModelFacts> {
  refuseImpostor(file, WANT);
  await using zip = await openZip(file);
  if (!zip.entries.some(({ name }) => name === SCHEMA))
    throw invalidModel(file.path, `it is a zip archive without ${SCHEMA}, not ${WANT}`);
  const schema = parseJsonObject(
    await zip.read(SCHEMA, MAX_SCHEMA_BYTES),
    `${file.path}/${SCHEMA}`,
    WANT,
  );
  const types = typesIn(schema);
  const version = stringIn(schema, "_skops_version");
  const features = featuresIn(schema);
  return {
    ...(features !== undefined && {
      signature: {
        inputs: [{ name: "X", datatype: "FP64", shape: [-1, features] }],
        outputs: [],
      },
    }),
    files: [file.path],
    warnings: [],
    details: {
      class: typeOf(schema) ?? "",
      imports: types,
      ...(version !== undefined && { skopsVersion: version }),
      ...(features !== undefined && { features }),
    },
  };
}

/** Every type that loading would make. */
function typesIn(schema: JsonObject): readonly string[] {
  const types = new Set<string>();
  for (const node of nodesIn(schema)) {
    const type = typeOf(node);
    if (type !== undefined) types.add(type);
  }
  return [...types].toSorted();
}

function typeOf(node: JsonObject): string | undefined {
  const module = stringIn(node, "__module__");
  const name = stringIn(node, "__class__");
  return module === undefined || name === undefined ? undefined : `${module}.${name}`;
}

function featuresIn(schema: JsonObject): number | undefined {
  for (const node of nodesIn(schema)) {
    const value = node["n_features_in_"];
    const content = isJsonObject(value) ? Number(value["content"]) : Number.NaN;
    if (Number.isSafeInteger(content) && content > 0) return content;
  }
  return undefined;
}

/** All objects of the schema, the outer ones first. */
function* nodesIn(schema: JsonObject): Generator<JsonObject, void, undefined> {
  const queue: unknown[] = [schema];
  for (let at = 0; at < queue.length && at < MAX_NODES; at += 1) {
    const value = queue[at];
    if (Array.isArray(value)) queue.push(...value.slice(0, 10_000));
    if (!isJsonObject(value)) continue;
    yield value;
    queue.push(...Object.values(value));
  }
}
