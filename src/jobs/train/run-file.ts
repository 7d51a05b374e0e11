import { isDigest, type Digest } from "../../images/oci/index.ts";

/** In the output folder of a run: what made what lies there. It never goes into an image as a file. */
export const RUN_FILE_NAME = "slipway-run.json";

/** Largest record that is read, in bytes: one with some hundred thousand files. */
export const MAX_RUN_FILE_BYTES: number = 32 * 2 ** 20;

/** How far a run is. `stopped` was ended from outside, by Ctrl-C or by an error of the engine. */
type RunState = "running" | "ended" | "stopped";

/** What `slipway-run.json` says. */
export interface RunRecord {
  readonly schemaVersion: 2;
  readonly state: RunState;
  /** Digest of the training image; absent for a run without a container. */
  readonly image?: { readonly name: string; readonly digest: Digest };
  /** As it was started, without the engine's own words. */
  readonly command: readonly string[];
  /** Of the script; absent unless it ended by itself. */
  readonly exitCode?: number;
  /** Last value of each metric. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Files that the run made or changed, by their path in the output folder: the sha256 of what is in them. */
  readonly files: Readonly<Record<string, Digest>>;
}

/** What a record says of where files come from. */
export interface Provenance {
  readonly labels: Readonly<Record<string, string>>;
  /** Digests of what the run left. Labels hold for these contents and no others. */
  readonly made: ReadonlySet<Digest>;
}

/** Text of the file. */
export function printRunRecord(record: RunRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

/** Labels for an image that is packed from a run's output. `undefined` for text that is no such record, and while a run goes on. */
export function parseProvenance(text: string): Provenance | undefined {
  const record = parseRecord(text);
  if (record === undefined) return undefined;
  const image = record.image && {
    "dev.slipway.trained.image": record.image.name,
    "dev.slipway.trained.digest": record.image.digest,
  };
  return {
    labels: { ...image, "dev.slipway.trained.command": JSON.stringify(record.command) },
    made: record.made,
  };
}

/** Until then digests of files are not known. */
const OVER: readonly unknown[] = ["ended", "stopped"] satisfies readonly RunState[];

interface ParsedRecord extends Pick<RunRecord, "image" | "command"> {
  readonly made: ReadonlySet<Digest>;
}

function parseRecord(text: string): ParsedRecord | undefined {
  let value: {
    readonly schemaVersion?: unknown;
    readonly state?: unknown;
    readonly image?: { readonly name?: unknown; readonly digest?: unknown } | null;
    readonly command?: unknown;
    readonly files?: unknown;
  } | null;
  try {
    // Every key is checked below.
    value = JSON.parse(text) as typeof value;
  } catch {
    return undefined; // a file of that name that is not ours
  }
  if (
    value?.schemaVersion !== 2 ||
    !OVER.includes(value.state) ||
    !Array.isArray(value.command) ||
    !value.command.every((word): word is string => typeof word === "string") ||
    typeof value.files !== "object" ||
    value.files === null
  )
    return undefined;
  const { name, digest } = value.image ?? {};
  return {
    command: value.command,
    made: new Set(Object.values(value.files).filter(isDigest)),
    ...(typeof name === "string" && isDigest(digest) ? { image: { name, digest } } : {}),
  };
}
