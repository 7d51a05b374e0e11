import { posix } from "node:path";
import { openReader } from "../../../ground/bytes/index.ts";
import type { Candidate, KindRow, ModelFacts, ModelFile, StatedTensor } from "../contracts.ts";
import { signatureOf } from "../files/datatype-names.ts";
import {
  isJsonObject,
  listIn,
  objectIn,
  readJsonFile,
  stringIn,
  type JsonObject,
} from "../files/json-file.ts";
import { headOf, invalidModel, modelFileAt, refuseImpostor } from "../files/model-file.ts";
import { ParamsError, readParams } from "./params.ts";

const SYMBOL = /-symbol\.json$/i;
const PARAMS = /-(\d{4,})\.params$/i;
const REQUIREMENTS = ["mxnet==1.9.1", "numpy==1.23.5"];

/** MXNet: the network as `NAME-symbol.json` and its weights as `NAME-EPOCH.params`; the newest epoch by number. */
export const mxnet: KindRow = {
  name: "mxnet",
  requirements: REQUIREMENTS,
  recognise: (files) => Promise.resolve(recogniseMxnet(files)),
  describe: (candidate, files) => Promise.resolve(describeMxnet(candidate, files)),
};

function recogniseMxnet(files: readonly ModelFile[]): readonly Candidate[] {
  const symbols = files.filter(isSymbol);
  const found = symbols.map(({ path }): Candidate => ({
    kind: "mxnet",
    modelPath: path,
    isCertain: false,
    label: `MXNet model "${path}"`,
    parts: [path, ...epochsOf(path.replace(SYMBOL, ""), files).map(({ file }) => file)],
  }));
  const prefixes = new Set(symbols.map(({ path }) => path.replace(SYMBOL, "")));
  const alone = new Map(
    files
      .filter(({ path }) => PARAMS.test(path) && !prefixes.has(path.replace(PARAMS, "")))
      .map(({ path }) => [path.replace(PARAMS, ""), path]),
  );
  return [
    ...found,
    ...[...alone.values()].map((path): Candidate => ({
      kind: "mxnet",
      modelPath: path,
      isCertain: false,
      label: `weights of an MXNet model "${path}"`,
    })),
  ];
}

function isSymbol(file: ModelFile): boolean {
  if (SYMBOL.test(file.path)) return true;
  if (!/\.json$/i.test(file.path) || file.size === 0) return false;
  const { content, bytes } = headOf(file);
  return (
    content === "json" && /^\s*\{\s*"nodes"\s*:\s*\[\s*\{\s*"op"\s*:/.test(bytes.toString("latin1"))
  );
}

interface Epoch {
  readonly number: number;
  readonly file: string;
}

function epochsOf(prefix: string, files: readonly ModelFile[]): readonly Epoch[] {
  return files
    .flatMap(({ path }) => {
      const number = PARAMS.exec(path)?.[1];
      const isOurs = number !== undefined && path.replace(PARAMS, "") === prefix;
      return isOurs ? [{ number: Number(number), file: path }] : [];
    })
    .toSorted((a, b) => a.number - b.number);
}

function describeMxnet({ modelPath = "" }: Candidate, files: readonly ModelFile[]): ModelFacts {
  const file = modelFileAt(files, modelPath);
  refuseImpostor(file, "an MXNet model");
  if (PARAMS.test(modelPath)) {
    const prefix = posix.basename(modelPath).replace(PARAMS, "");
    return {
      files: [modelPath],
      warnings: [],
      details: { tensors: paramsIn(file).length },
      obstacle: {
        code: "MODEL_FILE_INVALID",
        why: `it holds the weights of an MXNet model, and its network is missing: there is no "${prefix}-symbol.json"`,
        hint: "put the symbol file beside it",
      },
    };
  }
  const symbol = readJsonFile(file, "the symbol of an MXNet model");
  const prefix = modelPath.replace(SYMBOL, "");
  const epochs = epochsOf(prefix, files);
  const newest = epochs.at(-1);
  const params = newest === undefined ? [] : paramsIn(modelFileAt(files, newest.file));
  const facts = symbolFacts(symbol, params, modelPath);
  const details = { ...facts.details, epochs: epochs.map(({ number }) => number) };
  if (newest === undefined)
    return {
      ...facts,
      files: [modelPath],
      details,
      obstacle: {
        code: "MODEL_FILE_INVALID",
        why: `its weights are missing: there is no "${posix.basename(prefix)}-NNNN.params" beside it`,
        hint: "put the .params file beside it",
      },
    };
  return {
    ...facts,
    files: [modelPath, newest.file],
    requirements: REQUIREMENTS,
    details: { ...details, newest: newest.number },
  };
}

function paramsIn(file: ModelFile): readonly StatedTensor[] {
  refuseImpostor(file, "weights of MXNet");
  using reader = openReader(file.location, file.path);
  try {
    return readParams(reader);
  } catch (cause) {
    if (!(cause instanceof ParamsError)) throw cause;
    throw invalidModel(file.path, `it is not a whole .params file of MXNet: ${cause.message}`, {
      cause,
    });
  }
}

function symbolFacts(
  symbol: JsonObject,
  params: readonly StatedTensor[],
  path: string,
): Omit<ModelFacts, "files"> {
  const nodes = listIn(symbol, "nodes").filter(isJsonObject);
  if (nodes.length === 0)
    throw invalidModel(path, "it is not the symbol of an MXNet model: it has no nodes");
  const known = new Set(params.map(({ name }) => name.replace(/^(?:arg|aux):/, "")));
  const given = nodes
    .filter((node) => stringIn(node, "op") === "null")
    .map((node) => stringIn(node, "name") ?? "")
    .filter((name) => !known.has(name));
  const heads = listIn(symbol, "heads").map((head) => nameAt(nodes, head));
  // A label is wanted by the loss at the end, and by no prediction.
  const inputs = given
    .filter((name) => !/_label$/.test(name))
    .map((name): StatedTensor => ({ name, datatype: "FP32", shape: shapeIn(nodes, name) }));
  const outputs = heads.map((name): StatedTensor => ({
    name: `${name}_output`,
    datatype: "FP32",
    shape: null,
  }));
  const version = objectIn(symbol, "attrs")["mxnet_version"];
  const number = Array.isArray(version) ? String(version[1]) : undefined;
  return {
    ...(params.length > 0 ? signatureOf(inputs, outputs) : {}),
    ...(params.length > 0 && { inputs }),
    outputs,
    warnings: [],
    details: {
      ...(number !== undefined && { mxnetVersion: number }),
      ...(params.length > 0 && { argumentsWithoutParams: given }),
      heads,
      ops: opCounts(nodes),
      ...(params.length > 0 && { parameters: numbersIn(params) }),
    },
  };
}

function nameAt(nodes: readonly JsonObject[], head: unknown): string {
  const index: unknown = Array.isArray(head) ? head[0] : undefined;
  const node = typeof index === "number" ? nodes[index] : undefined;
  return node === undefined ? "" : (stringIn(node, "name") ?? "");
}

/** Some symbols keep the shape of an input as an attribute. */
function shapeIn(nodes: readonly JsonObject[], name: string): readonly number[] | null {
  const node = nodes.find((one) => stringIn(one, "name") === name) ?? {};
  const text = stringIn({ ...objectIn(node, "attr"), ...objectIn(node, "attrs") }, "__shape__");
  const axes = text?.match(/-?\d+/g)?.map(Number);
  return axes === undefined ? null : axes.map((axis) => (axis > 0 ? axis : -1));
}

function opCounts(nodes: readonly JsonObject[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const node of nodes) {
    const op = stringIn(node, "op") ?? "";
    if (op !== "null") counts.set(op, (counts.get(op) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

function numbersIn(params: readonly StatedTensor[]): number {
  return params.reduce(
    (sum, { shape }) => sum + (shape ?? []).reduce((product, axis) => product * axis, 1),
    0,
  );
}
