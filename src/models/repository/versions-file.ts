import { ProjectError } from "../../ground/errors/index.ts";
import { parseYaml } from "../description/index.ts";
import { isFields } from "./read-limited.ts";
import type { VersionPolicy } from "./version-policy.ts";

/** Name of the file beside the folders of versions. */
export const VERSIONS_FILE = "versions.yaml";

/** What `versions.yaml` says. */
export interface VersionsFile {
  readonly policy?: VersionPolicy;
  readonly labels?: Readonly<Record<string, string>>;
  readonly weights?: Readonly<Record<string, number>>;
}

const VERSION = /^\d{1,15}$/;
const KEYS: readonly string[] = ["serve", "labels", "weights"];

/**
 * Reads `versions.yaml`: `serve: latest | all | NUMBER of the newest | [VERSIONS]`, `labels: {LABEL: VERSION}`, `weights: {VERSION: SHARE}`.
 * A version that has a label or a share is served whatever `serve` says.
 * @throws ProjectError `PROJECT_INVALID` naming the key
 */
export async function parseVersionsFile(text: string, file: string): Promise<VersionsFile> {
  const fields = await parseYaml(text);
  const wrong = (key: string, want: string): ProjectError =>
    new ProjectError("PROJECT_INVALID", `read "${file}": ${key} is not ${want}`, {
      file,
      keyPath: key,
    });
  if (fields === null || fields === undefined) return {};
  if (!isFields(fields)) throw wrong("it", "an object");
  const unknown = Object.keys(fields).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw wrong(unknown, `one of ${KEYS.join(", ")}`);
  const { serve, labels, weights } = fields;
  return {
    ...(serve !== undefined && { policy: policyOf(serve, wrong) }),
    ...(labels !== undefined && { labels: labelsOf(labels, wrong) }),
    ...(weights !== undefined && { weights: weightsOf(weights, wrong) }),
  };
}

type Wrong = (key: string, want: string) => ProjectError;

function policyOf(serve: unknown, wrong: Wrong): VersionPolicy {
  if (serve === "latest") return { kind: "latest", count: 1 };
  if (serve === "all") return { kind: "all" };
  if (typeof serve === "number" && Number.isSafeInteger(serve) && serve > 0)
    return { kind: "latest", count: serve };
  if (Array.isArray(serve) && serve.length > 0 && serve.every(isVersion))
    return { kind: "specific", versions: serve.map(String) };
  throw wrong("serve", "latest, all, a number of versions, or a list of versions");
}

function labelsOf(labels: unknown, wrong: Wrong): Readonly<Record<string, string>> {
  if (!isFields(labels)) throw wrong("labels", "an object of versions by label");
  return Object.fromEntries(
    Object.entries(labels).map(([label, version]) => {
      if (!/^[A-Za-z][\w.-]{0,99}$/.test(label))
        throw wrong(`labels.${label}`, "a label, which begins with a letter");
      if (!isVersion(version)) throw wrong(`labels.${label}`, "a version");
      return [label, String(version)];
    }),
  );
}

function weightsOf(weights: unknown, wrong: Wrong): Readonly<Record<string, number>> {
  if (!isFields(weights)) throw wrong("weights", "an object of shares by version");
  const shares = Object.entries(weights).map(([version, share]) => {
    if (!isVersion(version)) throw wrong(`weights.${String(version)}`, "a version");
    if (typeof share !== "number" || !(share >= 0))
      throw wrong(`weights.${version}`, "a number from 0 on");
    return [version, share] as const;
  });
  if (!shares.some(([, share]) => share > 0)) throw wrong("weights", "above 0 for any version");
  return Object.fromEntries(shares);
}

function isVersion(value: unknown): value is number | string {
  return (typeof value === "number" || typeof value === "string") && VERSION.test(String(value));
}
