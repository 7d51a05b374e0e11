import { distributionOf, isStandardModule } from "../../models/python-source/index.ts";
import { reachedFrom, type PythonSource } from "./python-sources.ts";

/** Modules that a package brings beside its own, as its requirements have it. A package that is not here may bring anything. */
const BROUGHT: Readonly<Record<string, string>> = {
  joblib: "",
  keras: "numpy h5py absl rich namex optree ml_dtypes packaging",
  mxnet: "numpy requests graphviz urllib3 certifi chardet idna",
  numpy: "",
  onnxruntime: "numpy google flatbuffers packaging sympy mpmath coloredlogs",
  "opencv-python": "numpy",
  "opencv-python-headless": "numpy",
  pillow: "",
  pyyaml: "",
  requests: "urllib3 certifi idna charset_normalizer",
  "scikit-learn": "numpy scipy joblib threadpoolctl narwhals",
  scipy: "numpy",
  six: "",
  tensorflow:
    "numpy h5py keras google absl six requests wrapt termcolor urllib3 certifi idna flatbuffers opt_einsum astunparse gast ml_dtypes packaging typing_extensions rich tensorboard werkzeug markdown grpc setuptools pkg_resources wheel optree namex PIL",
  "tensorflow-cpu": "",
  torch: "jinja2 networkx sympy mpmath filelock fsspec typing_extensions setuptools pkg_resources",
  "xgboost-cpu": "numpy scipy",
  xgboost: "numpy scipy",
};

/** Has every module that left the standard library since. */
const OLDEST = "3.8";

/** Modules that the tool brings to classes. */
const OURS = ["uai", "caffe", "kserve", "mlserver", "seldon_core", "slipway_worker", "uaitrain"];

/**
 * Imports that would fail: at the left margin of the main file, or of a file that it imports, and brought by neither Python, the folder nor
 * the packages. The list is empty when a package is unknown here, or when the code changes the path that modules are looked for in.
 * @param requirements - every line that is installed; the base has nothing else
 * @returns one line each, `FILE:LINE: why; what to do`.
 */
export function missingImports(
  mainFile: string,
  sources: readonly PythonSource[],
  { requirements, python }: { readonly requirements: readonly string[]; readonly python: string },
): readonly string[] {
  const names = requirements.map(requirementName).filter((name) => name !== "");
  if (!names.every((name) => Object.hasOwn(BROUGHT, name))) return [];
  const known = new Set([
    ...names,
    ...names.flatMap((name) => (BROUGHT[name] ?? "").split(" ")),
    ...(names.includes("tensorflow-cpu") ? (BROUGHT["tensorflow"] ?? "").split(" ") : []),
  ]);
  const isThere = (module: string): boolean => {
    const distribution = distributionOf(module).toLowerCase().replace(/<.*$/, "");
    const families = [distribution, `${distribution}-cpu`, distribution.replace("-headless", "")];
    return [module, ...families].some((one) => known.has(one));
  };
  return unmetImports(mainFile, sources, { python, isThere });
}

/**
 * Imports at the left margin of the main file, and of what it imports, that neither Python nor the folder nor what `isThere` knows brings. Says nothing
 * where the code changes the path that modules are looked for in.
 * @returns one line each, `FILE:LINE: why; what to do`.
 */
export function unmetImports(
  mainFile: string,
  sources: readonly PythonSource[],
  { python, isThere }: { readonly python: string; readonly isThere: (module: string) => boolean },
): readonly string[] {
  const reached = reachedFrom(mainFile, sources);
  if (reached.some(({ text }) => /\bsys\.path\b|\bimportlib\b|__import__/.test(text))) return [];
  const own = new Set([
    ...OURS,
    ...sources.flatMap(({ path }) => path.replace(/\.py$/, "").split("/")),
  ]);
  return reached.flatMap(({ path, imports }) =>
    imports
      .filter(({ module, isCertain }) => isCertain && !module.startsWith("."))
      .map(({ module, line }) => ({ top: module.split(".")[0] ?? "", line }))
      .filter(({ top }) => !own.has(top) && !isStandardModule(top, python) && !isThere(top))
      .map(({ top, line }) => `${path}:${line}: ${sentenceOf(top, python)}`),
  );
}

function sentenceOf(module: string, python: string): string {
  return isStandardModule(module, OLDEST)
    ? `Python ${python} has no module ${module} any more`
    : `nothing brings the module ${module}; add ${distributionOf(module)} to requirements.txt`;
}

/** The normalised name; something unknown for a line that names a file, a place or an option. */
function requirementName(line: string): string {
  const text = line.replace(/(?:^|\s)#.*$/, "").trim();
  if (text === "") return "";
  return (/^[A-Za-z0-9][\w.-]*/.exec(text)?.[0] ?? "?").toLowerCase().replaceAll(/[_.]+/g, "-");
}
