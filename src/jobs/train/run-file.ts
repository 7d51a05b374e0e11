import { isDigest, type Digest } from "../../images/oci/index.ts";

/** In the output folder of a run: what made what lies there. It never goes into an image as a file. */
export const RUN_FILE_NAME = "slipway-run.json";

/** What `slipway-run.json` says. */
export interface RunRecord {
  readonly schemaVersion: 1;
  /** Digest of the training image; absent for a run without a container. */
  readonly image?: { readonly name: string; readonly digest: Digest };
  /** As it was started, without the engine's own words. */
  readonly command: readonly string[];
  readonly exitCode: number;
  /** Last value of each metric. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Text of the file. */
export function printRunRecord(record: RunRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

/** Labels for an image that is packed from a run's output. Nothing for text that is no such record. */
export function provenanceLabels(text: string): Readonly<Record<string, string>> {
  const record = parseRecord(text);
  if (record === undefined) return {};
  return {
    ...(record.image === undefined
      ? {}
      : {
          "dev.slipway.trained.image": record.image.name,
          "dev.slipway.trained.digest": record.image.digest,
        }),
    "dev.slipway.trained.command": JSON.stringify(record.command),
  };
}

function parseRecord(text: string): Pick<RunRecord, "image" | "command"> | undefined {
  let value: {
    readonly schemaVersion?: unknown;
    readonly image?: { readonly name?: unknown; readonly digest?: unknown } | undefined;
    readonly command?: unknown;
  } | null;
  try {
    // Every key is checked below.
    value = JSON.parse(text) as typeof value;
  } catch {
    return undefined; // a file of that name that is not ours
  }
  if (
    value?.schemaVersion !== 1 ||
    !Array.isArray(value.command) ||
    !value.command.every((word): word is string => typeof word === "string")
  )
    return undefined;
  const { name, digest } = value.image ?? {};
  return {
    command: value.command,
    ...(typeof name === "string" && isDigest(digest) ? { image: { name, digest } } : {}),
  };
}
