import type { Obstacle } from "../contracts.ts";
import type { PickleFacts } from "./facts.ts";

/** Modules of packages that still have the names they had before 0.22, where the others got an underscore. @see scikit-learn, "What's new in 0.22" */
const KEPT =
  /^sklearn\.(?:externals|utils|metrics|datasets|gaussian_process\.kernels|feature_extraction\.(?:text|image))(?:\.|$)/;
/** The first release whose wheels take numpy 2 as well as numpy 1. @see scikit-learn, "What's new in 1.4.2" */
const TAKES_NUMPY_2 = [1, 4, 2] as const;
const MAX_SHOWN = 3;

/**
 * Why an estimator of a scikit-learn before 0.22 is not served: it names modules that no release has any more which runs on a Python of today.
 * `undefined` for all others, and for old ones whose modules are still there.
 */
export function oldReleaseObstacle({
  sklearnVersion,
  sklearnVersions: [first],
  imports,
}: PickleFacts): Obstacle | undefined {
  const gone = imports.filter(isGone);
  if (gone.length === 0) return undefined;
  const version = sklearnVersion ?? first;
  const shown = gone.slice(0, MAX_SHOWN).join(", ");
  return {
    code: "UNSUPPORTED",
    why: `it was written by scikit-learn ${version ?? "before 0.22"} and names ${shown}${gone.length > MAX_SHOWN ? " and more" : ""}, which no release of scikit-learn for Python 3.9 or newer has`,
    hint: "train it again with a release of today, or read it with scikit-learn 0.22.2 on Python 3.8 and convert it to ONNX there (skl2onnx)",
  };
}

/** True for `sklearn.svm.classes.LinearSVC`, which is `sklearn.svm._classes.LinearSVC` today. */
function isGone(name: string): boolean {
  const [library, , module = "_", ...rest] = name.split(".");
  return library === "sklearn" && rest.length > 0 && /^[a-z]/.test(module) && !KEPT.test(name);
}

/** The line that holds numpy back for releases that were built against numpy 1. */
export function numpyLineFor({ needsNumpy2, sklearnVersion }: PickleFacts): readonly string[] {
  if (needsNumpy2) return ["numpy>=2"];
  return sklearnVersion !== undefined && isBefore(sklearnVersion, TAKES_NUMPY_2) ? ["numpy<2"] : [];
}

/** Compares the numbers of a release; what stands behind them (`rc1`, `post1`) does not count. */
function isBefore(version: string, wanted: readonly number[]): boolean {
  const parts = version.split(".").map((part) => Number.parseInt(part, 10));
  for (const [at, want] of wanted.entries()) {
    const part = parts[at] ?? 0;
    if (part !== want) return part < want;
  }
  return false;
}
