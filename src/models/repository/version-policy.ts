import { ProjectError } from "../../ground/errors/index.ts";

/** Which of the versions that lie there are served. */
export type VersionPolicy =
  | { readonly kind: "latest"; readonly count: number }
  | { readonly kind: "all" }
  | { readonly kind: "specific"; readonly versions: readonly string[] };

/** What Triton and TensorFlow Serving do where nothing is said: the newest version only. */
export const NEWEST: VersionPolicy = { kind: "latest", count: 1 };

/**
 * The versions of `found` that are served, lowest first.
 * @param found - whole numbers as text
 * @throws ProjectError `PROJECT_INVALID` for a version that is named and not there
 */
export function servedVersions(
  found: readonly string[],
  policy: VersionPolicy,
  file: string,
): readonly string[] {
  const sorted = found.toSorted((a, b) => Number(a) - Number(b));
  if (policy.kind === "all") return sorted;
  if (policy.kind === "latest") return sorted.slice(-policy.count);
  const missing = policy.versions.find((version) => !found.includes(version));
  if (missing !== undefined)
    throw new ProjectError(
      "PROJECT_INVALID",
      `read "${file}": there is no version "${missing}"; there ${found.length === 1 ? "is" : "are"} ${sorted.join(", ") || "none"}`,
      { file },
    );
  return sorted.filter((version) => policy.versions.includes(version));
}
