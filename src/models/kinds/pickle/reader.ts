import { ProjectError } from "../../../ground/errors/index.ts";
import { type CallOptions } from "../../../ground/bytes/index.ts";
import { mapLimited } from "../../../ground/process/index.ts";
import type {
  Candidate,
  Detail,
  KindRow,
  ModelFacts,
  ModelFile,
  ReadOptions,
} from "../contracts.ts";
import { readAllowList } from "./allow-list.ts";
import { openPickle, type Compression } from "./container.ts";
import { ESTIMATOR_PACKAGES, pickleFactsOf, type PickleFacts } from "./facts.ts";
import { refuseUnlisted } from "./judge.ts";
import type { Machine } from "./machine.ts";
import { numpyLineFor, oldReleaseObstacle } from "./old-release.ts";
import { PickleError } from "./pickle-error.ts";
import { scanPickle } from "./scan.ts";
import { classOf, GlobalName } from "./values.ts";

const NAME = /\.(?:pkl|pickle|joblib)(?:\.(?:z|gz|gzip|lz4|bz2|xz|lzma))?$/i;
const MAX_FILES = 200;

/** What comes with the others. */
const IMPLIED: ReadonlySet<string> = new Set(["numpy", "scipy", "joblib", "sklearn"]);
/** Steps of such a head come from no library: `builtins`, `copyreg` and the like. */
const NEUTRAL =
  /^(builtins|__builtin__|copy_?reg|_codecs|collections|functools|types|datetime|decimal|fractions|uuid|re|pathlib)$/;

/** What the beginning of a pickle says; kept between packs. */
interface Head {
  readonly compression?: Compression;
  /** Absent when the file holds no object, or cannot be looked into. */
  readonly className?: string;
}

/** A fitted estimator of scikit-learn, or of a library with the same methods, in a pickle or a joblib file. Nothing in it is ever executed. */
export const pickledEstimator: KindRow = {
  name: "sklearn",
  requirements: ["scikit-learn"],
  async recognise(files, options = {}) {
    const pickles = files
      .filter(({ path, size }) => NAME.test(path) && size > 0)
      .slice(0, MAX_FILES);
    const found = await mapLimited(pickles, 4, (file) => candidateOf(file, options));
    return found.flat();
  },
  async describe({ modelPath = "" }, files, options = {}) {
    const file = files.find(({ path }) => path === modelPath);
    if (file === undefined)
      throw new ProjectError("MODEL_FILE_INVALID", `read "${modelPath}": there is no such file`, {
        file: modelPath,
      });
    const facts = await keptFactsOf(file, options);
    if (facts === undefined) return describeUnread(file, await headOf(file, options));
    const list = await readAllowList("sklearn", options.allowPickle);
    refuseUnlisted(modelPath, facts, list);
    const obstacle = oldReleaseObstacle(facts);
    const described = describePickle(file, facts, await headOf(file, options));
    return { ...described, ...(obstacle !== undefined && { obstacle }) };
  },
};

async function candidateOf(file: ModelFile, options: ReadOptions): Promise<readonly Candidate[]> {
  const { className, compression } = await headOf(file, options);
  if (className === undefined)
    return isClosed(compression) && /\.joblib/i.test(file.path)
      ? [candidate(file, `model "${file.path}" (packed with ${compression}, not looked into)`)]
      : inBundle(file, options);
  const [library = ""] = className.split(".");
  if (!(library in ESTIMATOR_PACKAGES)) return suspectOf(file, options);
  if (await isPartOfMore(file, options)) return [];
  return [
    candidate(
      file,
      `${shortName(className)} of ${ESTIMATOR_PACKAGES[library] ?? library} in "${file.path}"`,
    ),
  ];
}

/** An estimator among other things in a dictionary. */
async function inBundle(file: ModelFile, options: ReadOptions): Promise<readonly Candidate[]> {
  try {
    const { bundle, modelKey, className = "" } = (await keptFactsOf(file, options)) ?? {};
    if (bundle === undefined) return await suspectOf(file, options);
    return [candidate(file, `${shortName(className)} under "${modelKey}" in "${file.path}"`)];
  } catch (error) {
    if (error instanceof ProjectError) return [];
    throw error;
  }
}

/**
 * The pickle holds no estimator and imports a forbidden name. Its description says so when the
 * folder has no other model.
 */
async function suspectOf(file: ModelFile, options: ReadOptions): Promise<readonly Candidate[]> {
  try {
    const facts = await keptFactsOf(file, options);
    if (facts === undefined) return [];
    const { names } = await readAllowList("sklearn", options.allowPickle);
    if (facts.imports.every((name) => names.has(name))) return [];
    return [{ ...candidate(file, `pickle "${file.path}"`), isDoubtful: true }];
  } catch (error) {
    if (error instanceof ProjectError) return [];
    throw error;
  }
}

/** A tuple of a model and more begins like the model. A damaged file is left for `read` to complain of. */
async function isPartOfMore(file: ModelFile, options: ReadOptions): Promise<boolean> {
  try {
    const facts = await keptFactsOf(file, options);
    return facts !== undefined && facts.className === undefined;
  } catch (error) {
    if (error instanceof ProjectError) return false;
    throw error;
  }
}

function candidate({ path }: ModelFile, label: string): Candidate {
  return { kind: "sklearn", modelPath: path, isCertain: false, label };
}

function isClosed(compression: Compression | undefined): compression is Compression {
  return compression === "lzma";
}

/** The class comes first in a pickle, after what makes objects in general; a list or dict that begins first is data. */
async function headOf(file: ModelFile, options: ReadOptions): Promise<Head> {
  return recall({ file, what: "head", ...options }, async () => {
    try {
      const { compression, input } = await openPickle(file.location);
      if (input === undefined) return compression === undefined ? {} : { compression };
      await using opened = input;
      let firstNamed: GlobalName | undefined;
      const isDecided = (globals: ReadonlyMap<string, GlobalName>, machine: Machine): boolean => {
        if (!machine.isContainer)
          firstNamed = [...globals.values()].find(({ module }) => !NEUTRAL.test(module));
        return firstNamed !== undefined || machine.isContainer;
      };
      const scan = await scanPickle(opened, { signal: options.signal, until: isDecided });
      const className = (scan.isWhole ? classOf(scan.root) : firstNamed)?.path;
      return {
        ...(compression === undefined ? {} : { compression }),
        ...(className === undefined ? {} : { className }),
      };
    } catch (error) {
      if (error instanceof PickleError) return {}; // some other file of that name
      throw error;
    }
  });
}

async function keptFactsOf(
  file: ModelFile,
  options: ReadOptions,
): Promise<PickleFacts | undefined> {
  return recall({ file, what: "facts", ...options }, () => scannedFacts(file, options));
}

async function scannedFacts(
  file: ModelFile,
  options: CallOptions,
): Promise<PickleFacts | undefined> {
  try {
    const { input } = await openPickle(file.location);
    if (input === undefined) return undefined;
    await using opened = input;
    return pickleFactsOf(await scanPickle(opened, options));
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new ProjectError(
      "MODEL_FILE_INVALID",
      `read "${file.path}": it is not a whole pickle: ${error.message}`,
      { file: file.path, cause: error, hint: "write the model again, and copy the file whole" },
    );
  }
}

/** Facts of a file do not change while the file does not. */
async function recall<T>(
  { file, what, memory }: ReadOptions & { readonly file: ModelFile; readonly what: string },
  read: () => Promise<T>,
): Promise<T> {
  if (memory === undefined || file.identity === undefined) return readOnce(file, what, read);
  const key = `pickle 3 ${what} ${file.identity}`;
  const known = await memory.get(key);
  // Only this function writes below such a key, and what it wrote was a T.
  if (typeof known === "object" && known !== null)
    return (known as { readonly value?: T }).value as T;
  const value = await read();
  await memory.set(key, value === undefined ? {} : { value });
  return value;
}

/** What was read of a file that nothing else remembers; it goes with the file's own record. */
const READ = new WeakMap<ModelFile, Map<string, unknown>>();

/** A file is looked at several times while a folder is described, and walked over once. */
function readOnce<T>(file: ModelFile, what: string, read: () => Promise<T>): Promise<T> {
  const known = READ.get(file) ?? new Map<string, unknown>();
  READ.set(file, known);
  const found = known.get(what) ?? read();
  known.set(what, found);
  // Each word stands for one type.
  return found as Promise<T>;
}

function describeUnread({ path }: ModelFile, { compression }: Head): ModelFacts {
  return {
    files: [path],
    warnings: [
      `"${path}" is packed with ${compression ?? "something unknown"}, which is not looked into: name its packages in requirements.txt`,
    ],
    details: {},
    requirements: ["scikit-learn"],
  };
}

function describePickle(
  { path }: ModelFile,
  facts: PickleFacts,
  { compression }: Head,
): ModelFacts {
  const { className, signature } = facts;
  if (className === undefined || !((className.split(".")[0] ?? "") in ESTIMATOR_PACKAGES)) {
    throw new ProjectError(
      "MODEL_FILE_INVALID",
      `read "${path}": it holds ${className === undefined ? "no object" : `a "${className}"`}, not a fitted estimator`,
      { file: path, hint: "write a Python class that loads it, and name the class with code:" },
    );
  }
  return {
    files: [path],
    ...(signature === undefined ? {} : { signature }),
    requirements: requirementsOf(facts, compression),
    warnings: warningsOf(path, facts),
    details: detailsOf(facts, compression),
  };
}

function detailsOf(
  facts: PickleFacts,
  compression: Compression | undefined,
): Readonly<Record<string, Detail>> {
  const { className = "", sklearnVersion, features, isJoblib, protocol, steps } = facts;
  const { bundle, columns, sklearnVersions, imports } = facts;
  return {
    container: "pickle",
    class: className,
    protocol: String(protocol),
    format: isJoblib || compression !== undefined ? "joblib" : "pickle",
    ...(sklearnVersion === undefined ? {} : { sklearn: sklearnVersion }),
    ...(features === undefined ? {} : { features: String(features) }),
    ...(steps === undefined ? {} : { steps: steps.map(shortName).join(" > ") }),
    ...(columns === undefined ? {} : { columns }),
    ...(bundle === undefined ? {} : { bundle }),
    ...(compression === undefined ? {} : { compression }),
    ...(sklearnVersions.length === 0 ? {} : { sklearnVersion: sklearnVersions }),
    imports: imports.toSorted(),
  };
}

/** What loading the file needs, in the versions that wrote it where it says so. */
function requirementsOf(
  facts: PickleFacts,
  compression: Compression | undefined,
): readonly string[] {
  const { packages, sklearnVersion, columns, imports } = facts;
  const others = packages
    .filter((name) => name in ESTIMATOR_PACKAGES && name !== "sklearn")
    .map((name) => ESTIMATOR_PACKAGES[name] ?? name);
  return [
    `scikit-learn${sklearnVersion === undefined ? "" : `==${sklearnVersion}`}`,
    ...numpyLineFor(facts),
    ...(columns !== undefined && imports.some(isByColumn) ? ["pandas"] : []),
    ...(compression === "lz4" ? ["lz4"] : []),
    ...others,
  ].toSorted();
}

/** These choose columns by their names, which rows of an array have not. */
function isByColumn(name: string): boolean {
  return /\.(?:ColumnTransformer|DataFrameMapper)$/.test(name);
}

function warningsOf(
  path: string,
  { packages, sklearnVersion, className = "" }: PickleFacts,
): readonly string[] {
  const [library = ""] = className.split(".");
  const foreign = packages.filter(
    (name) =>
      !IMPLIED.has(name) &&
      !(name in ESTIMATOR_PACKAGES) &&
      name !== "__main__" &&
      !NEUTRAL.test(name),
  );
  return [
    ...(foreign.length === 0
      ? []
      : [
          `loading "${path}" imports ${foreign.map((name) => `"${name}"`).join(", ")}: keep the module beside the model, or name its package in requirements.txt`,
        ]),
    ...(library === "sklearn" && sklearnVersion === undefined
      ? [`"${path}" does not say which scikit-learn wrote it: name the version in requirements.txt`]
      : []),
  ];
}

function shortName(className: string): string {
  return className.slice(className.lastIndexOf(".") + 1);
}
