import type { Datatype, Signature } from "../../tensor/index.ts";
import type { PickleDeeds } from "./judge.ts";
import type { Scan } from "./scan.ts";
import { attributeOf, classOf, Made, OutsideArray, type PickleValue } from "./values.ts";

/** What a pickle says of the model in it. Plain data: it is kept between packs. */
export interface PickleFacts extends PickleDeeds {
  /** Module and class of the estimator, such as `sklearn.svm._classes.SVC`; of what loading gives where there is none. */
  readonly className?: string;
  /** What each key of a dictionary with an estimator in it holds, in words; absent where the file is the estimator itself. */
  readonly bundle?: Readonly<Record<string, string>>;
  /** The key of `bundle` that holds the estimator. */
  readonly modelKey?: string;
  readonly protocol: number;
  readonly isJoblib: boolean;
  /** Top-level modules that loading imports, sorted. */
  readonly packages: readonly string[];
  /** True when it was written with numpy 2, which older ones cannot read. */
  readonly needsNumpy2: boolean;
  /** The release that wrote the estimator, or the first of its steps that says it. */
  readonly sklearnVersion?: string;
  /** All that its parts name, sorted. */
  readonly sklearnVersions: readonly string[];
  /** Names of columns, where it was fitted on a table that has them. */
  readonly columns?: readonly string[];
  readonly features?: number;
  readonly classes?: readonly (string | number | boolean)[];
  /** Classes of a pipeline's steps, first to last. */
  readonly steps?: readonly string[];
  readonly signature?: Signature;
}

const MAX_CLASSES = 64;
const MAX_COLUMNS = 256;
const MAX_KEYS = 64;

/** Libraries whose estimators have scikit-learn's methods, and the package that brings each. */
export const ESTIMATOR_PACKAGES: Readonly<Record<string, string>> = {
  sklearn: "scikit-learn",
  xgboost: "xgboost",
  lightgbm: "lightgbm",
  catboost: "catboost",
  imblearn: "imbalanced-learn",
  sklearn_pandas: "sklearn-pandas",
};

/** These take text, categories or tables; how many columns says nothing of their types. */
const TAKES_ANYTHING =
  /(^|\.)(OneHotEncoder|OrdinalEncoder|TargetEncoder|LabelEncoder|LabelBinarizer|MultiLabelBinarizer|ColumnTransformer|FunctionTransformer|FeatureUnion|DictVectorizer|FeatureHasher|SimpleImputer|.*Vectorizer|CategoricalNB|Dummy\w+|HistGradientBoosting\w+)$/;

/** Takes the facts from a walk. */
export function pickleFactsOf(scan: Scan): PickleFacts {
  const { protocol, globals, calls, faults, hasOutsideArrays } = scan;
  const { root, bundle } = rootOf(scan);
  const className = classOf(root)?.path;
  const steps = stepsOf(root);
  const ends = steps ?? [root];
  const classes = itemsOf(attributeOf(ends.at(-1), "classes_"));
  const features = countOf(attributeOf(ends[0], "n_features_in_"));
  const columns = itemsOf(attributeOf(ends[0], "feature_names_in_"));
  const signature = signatureOf({
    className: classOf(ends[0])?.path ?? "",
    features,
    last: ends.at(-1),
    classes,
  });
  return {
    ...optional("className", className),
    ...optional("bundle", bundle?.contents),
    ...optional("modelKey", bundle?.key),
    sklearnVersions: scan.versions.toSorted(),
    protocol,
    isJoblib: hasOutsideArrays,
    imports: globals.map(({ path }) => path),
    calls,
    faults,
    packages: packagesOf(globals),
    needsNumpy2: globals.some(isOfNumpy2),
    ...optional("sklearnVersion", versionOf(ends) ?? scan.versions[0]),
    ...optional("features", features),
    ...optional("columns", columns?.slice(0, MAX_COLUMNS).map(String)),
    ...optional("classes", classes?.slice(0, MAX_CLASSES)),
    ...optional(
      "steps",
      steps?.map((step) => classOf(step)?.path ?? "?"),
    ),
    ...optional("signature", signature),
  };
}

function isOfNumpy2({ module }: Scan["globals"][number]): boolean {
  return module === "numpy._core" || module.startsWith("numpy._core.");
}

/** The estimator of a file, by itself or in a dictionary, and what the dictionary holds. */
function rootOf({ root }: Scan): { readonly root: PickleValue; readonly bundle?: Bundle } {
  const bundle = bundleOf(root);
  return bundle === undefined ? { root } : { root: bundle.estimator, bundle };
}

function packagesOf(globals: Scan["globals"]): readonly string[] {
  return [...new Set(globals.map(({ module }) => module.split(".")[0] ?? module))].toSorted();
}

interface Bundle {
  readonly key: string;
  readonly estimator: PickleValue;
  readonly contents: Readonly<Record<string, string>>;
}

/** Keys that people give the model in a dictionary, best first. */
const MODEL_KEYS = ["model", "estimator", "pipeline", "classifier", "regressor", "clf"];

/** A dictionary with one estimator in it, or with several of which one is called the model. */
function bundleOf(root: PickleValue): Bundle | undefined {
  if (!(root instanceof Map)) return undefined;
  const pairs = [...root].filter(
    (pair): pair is [string, PickleValue] => typeof pair[0] === "string",
  );
  const estimators = pairs.filter(([, value]) => isEstimator(value));
  const named = MODEL_KEYS.map((key) => estimators.find(([one]) => one === key));
  const [key, estimator] =
    named.find((pair) => pair !== undefined) ??
    (estimators.length === 1 ? estimators[0] : undefined) ??
    [];
  if (key === undefined) return undefined;
  const contents = pairs.slice(0, MAX_KEYS).map(([name, value]) => [name, inWords(value)] as const);
  return { key, estimator, contents: Object.fromEntries(contents) };
}

function isEstimator(value: PickleValue): boolean {
  const module = classOf(value)?.module ?? "";
  const isData = /(^|\.)(NumpyArrayWrapper|Bunch)$/.test(classOf(value)?.name ?? "");
  return (module.split(".")[0] ?? "") in ESTIMATOR_PACKAGES && !isData;
}

/** What a value is: its class, or how many items it has. */
function inWords(value: PickleValue): string {
  if (Array.isArray(value)) return `list of ${value.length}`;
  if (value instanceof Map) return `dictionary of ${value.size}`;
  if (value instanceof OutsideArray) return `array of shape [${value.shape.join(", ")}]`;
  return classOf(value)?.path ?? (value === null ? "nothing" : typeof value);
}

/** A pipeline's steps, each a pair of name and estimator; `undefined` for everything else. */
function stepsOf(root: PickleValue): readonly PickleValue[] | undefined {
  if (!/(^|\.)Pipeline$/.test(classOf(root)?.path ?? "")) return undefined;
  const steps = attributeOf(root, "steps");
  const found = Array.isArray(steps)
    ? steps.flatMap((step) => (Array.isArray(step) && step.length === 2 ? [step[1]] : []))
    : [];
  return found.length === 0 ? undefined : found.filter((step) => step instanceof Made);
}

/** scikit-learn writes its version into the state of every estimator of its own. */
function versionOf(estimators: readonly PickleValue[]): string | undefined {
  const versions = estimators.map((one) => attributeOf(one, "_sklearn_version"));
  const found = versions.find(
    (version): version is string =>
      typeof version === "string" && /^\d+(\.\d+)+[a-z0-9.]*$/.test(version),
  );
  return found;
}

interface Ends {
  /** Class of what takes the rows. */
  readonly className: string;
  readonly features: number | undefined;
  /** What answers. */
  readonly last: PickleValue;
  readonly classes: readonly (string | number | boolean)[] | undefined;
}

/** Rows of text to these. */
const TAKES_TEXT = /(^|\.)(Count|Tfidf|Hashing)Vectorizer$/;

/** Only what is sure: rows of numbers or texts in, and one answer a row where the class says of which type. */
function signatureOf({ className, features, last, classes }: Ends): Signature | undefined {
  const isText = className.startsWith("sklearn.") && TAKES_TEXT.test(className);
  if (isText)
    return {
      inputs: [{ name: "X", datatype: "BYTES", shape: [-1] }],
      outputs: answersOf(last, classes),
    };
  if (features === undefined || !className.startsWith("sklearn.") || TAKES_ANYTHING.test(className))
    return undefined;
  const inputs = [{ name: "X", datatype: "FP64", shape: [-1, features] }] as const;
  return { inputs, outputs: answersOf(last, classes) };
}

function answersOf(last: PickleValue, classes: Ends["classes"]): Signature["outputs"] {
  const datatype =
    classes === undefined
      ? /(Regressor|Regression|Ridge|Lasso|ElasticNet|SVR)$/.test(classOf(last)?.name ?? "")
        ? "FP64"
        : undefined
      : datatypeOf(classes);
  const answers = countOf(attributeOf(last, "n_outputs_")) ?? 1;
  return datatype === undefined
    ? []
    : [{ name: "predict", datatype, shape: answers > 1 ? [-1, answers] : [-1] }];
}

function datatypeOf(classes: readonly (string | number | boolean)[]): Datatype | undefined {
  if (classes.length === 0) return undefined;
  if (classes.every((item) => typeof item === "boolean")) return "BOOL";
  if (classes.every((item) => typeof item === "string")) return "BYTES";
  if (!classes.every((item) => typeof item === "number")) return undefined;
  return classes.every(Number.isInteger) ? "INT64" : "FP64";
}

/** Items of a flat array, wherever its bytes stand. */
function itemsOf(value: PickleValue): readonly (string | number | boolean)[] | undefined {
  if (value instanceof OutsideArray)
    return value.bytes === undefined || value.shape.length !== 1
      ? undefined
      : decode(value.bytes, value.dtype);
  const state = value instanceof Made ? value.state : undefined;
  if (Array.isArray(state) && state.length === 5) return itemsOfState(state);
  const { args } = value instanceof Made ? value : { args: undefined };
  const isFromBuffer = classOf(value)?.name === "_frombuffer" && Array.isArray(args);
  return isFromBuffer ? itemsOfState([1, args[2], args[1], false, args[0]]) : undefined;
}

/** `(version, shape, dtype, isFortran, content)` @see numpy, ndarray.__reduce__ */
function itemsOfState([, shape, dtype, , content]: readonly PickleValue[]):
  | readonly (string | number | boolean)[]
  | undefined {
  if (!Array.isArray(shape) || shape.length !== 1) return undefined;
  if (Array.isArray(content)) return plainItems(content);
  const raw = bytesOf(content);
  const code = codeOf(dtype);
  return raw === undefined || code === undefined ? undefined : decode(raw, code);
}

/** Byte order and type of a dtype, such as `<f8`. */
function codeOf(dtype: PickleValue): string | undefined {
  if (!(dtype instanceof Made) || !Array.isArray(dtype.args)) return undefined;
  const [code] = dtype.args;
  const order = Array.isArray(dtype.state) ? dtype.state[1] : undefined;
  return typeof code === "string" ? `${typeof order === "string" ? order : "<"}${code}` : undefined;
}

/** Protocols before 3 have no bytes: they write them as text, one character a byte. */
function bytesOf(content: PickleValue): Uint8Array | undefined {
  const bytes = content instanceof Made && Array.isArray(content.args) ? content.args[0] : content;
  if (typeof bytes === "string") return Buffer.from(bytes, "latin1");
  return bytes instanceof Uint8Array ? bytes : undefined;
}

function plainItems(
  items: readonly PickleValue[],
): readonly (string | number | boolean)[] | undefined {
  const isPlain = (item: PickleValue): item is string | number | boolean =>
    ["string", "number", "boolean"].includes(typeof item);
  return items.every(isPlain) ? items : undefined;
}

function decode(
  bytes: Uint8Array,
  dtype: string,
): readonly (string | number | boolean)[] | undefined {
  const [, order = "", letter = "", count = ""] = /^([<>|=]?)([a-zA-Z?])(\d*)$/.exec(dtype) ?? [];
  const width = Number(count || 1) * (letter === "U" ? 4 : 1);
  const one = READ[`${letter}${letter === "U" || letter === "S" ? "" : count}`];
  if (one === undefined || order === ">" || width === 0) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.byteLength / width) }, (_, index) =>
    one(buffer.subarray(index * width, (index + 1) * width)),
  );
}

const READ: Readonly<Record<string, (bytes: Buffer) => string | number | boolean>> = {
  i1: (bytes) => bytes.readInt8(),
  i2: (bytes) => bytes.readInt16LE(),
  i4: (bytes) => bytes.readInt32LE(),
  i8: (bytes) => Number(bytes.readBigInt64LE()),
  u1: (bytes) => bytes.readUInt8(),
  u2: (bytes) => bytes.readUInt16LE(),
  u4: (bytes) => bytes.readUInt32LE(),
  u8: (bytes) => Number(bytes.readBigUInt64LE()),
  f4: (bytes) => bytes.readFloatLE(),
  f8: (bytes) => bytes.readDoubleLE(),
  b1: (bytes) => bytes[0] !== 0,
  S: (bytes) => bytes.toString("latin1").replace(/\0+$/, ""),
  U: (bytes) =>
    Array.from({ length: bytes.byteLength / 4 }, (_, index) => characterAt(bytes, index)).join(""),
};

function characterAt(bytes: Buffer, index: number): string {
  const point = bytes.readUInt32LE(4 * index);
  return point === 0 || point > 0x10ffff ? "" : String.fromCodePoint(point);
}

function countOf(value: PickleValue): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

function optional<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  // A computed key has the type string; here it is exactly K.
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: T };
}
