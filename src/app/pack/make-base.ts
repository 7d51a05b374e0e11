import { resolve } from "node:path";
import { oneChunk } from "../../ground/bytes/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import {
  buildDebianBase,
  type BuildStep,
  type BuiltBase,
  type DebianArchitecture,
} from "../../images/bases/index.ts";
import { pushImage, storeReference } from "../../images/copy/index.ts";
import {
  createIndex,
  formatPlatform,
  imageDescriptor,
  type Descriptor,
  type Digest,
  type Reference,
} from "../../images/oci/index.ts";
import type { Store } from "../../images/store/index.ts";
import { formatBytes } from "../format.ts";
import { openStore } from "../places/places.ts";
import type { Places, Surroundings } from "../session.ts";
import { epochOf } from "../settings.ts";
import { readLockFile, writeLockFile } from "./lock-file.ts";

/** A Debian base to make of packages. */
export interface DebianBaseRequest {
  /** `NAME[:TAG]` in the local store. */
  readonly name: string;
  /** Packages on top of the minimal set, `NAME` or `NAME=VERSION`. */
  readonly include?: readonly string[] | undefined;
  /** Default: `amd64`. */
  readonly architectures?: readonly string[] | undefined;
  /** Default: this machine's own. */
  readonly suite?: string | undefined;
  readonly mirror?: string | undefined;
  /** State of the archive at a time, such as `20260101T000000Z`. */
  readonly snapshot?: string | undefined;
  /** A whole Debian with its scripts run. Default false. */
  readonly isFull?: boolean | undefined;
  /** File of exact packages; written when it is not there. */
  readonly lock?: string | undefined;
}

/** One image of a base. */
export interface MadeBase {
  readonly platform: string;
  readonly digest: Digest;
  readonly names: readonly string[];
  readonly isPushed: boolean;
  /** How many. */
  readonly packages: number;
  readonly layers: number;
  readonly layersMade: number;
  readonly bytes: number;
  readonly suite: string;
  readonly glibc: string;
  readonly python?: string | undefined;
}

/** A base that was made. */
export interface DebianBaseResult {
  /** `store:NAME:TAG`. */
  readonly name: string;
  readonly pinnedName: string;
  readonly descriptor: Descriptor;
  readonly images: readonly MadeBase[];
  readonly tookMs: number;
}

/**
 * Makes a Debian image from packages, without root and without a container, and keeps it in the local store.
 * @throws ToolError `USAGE`, `TOOL_MISSING`, `PACKAGE_UNAVAILABLE`, `PROJECT_INVALID` for a lock file that is damaged.
 */
export async function makeDebianBase(
  request: DebianBaseRequest,
  session: Places & Surroundings,
): Promise<DebianBaseResult> {
  const startedAt = performance.now();
  const reference = storeReference(request.name.replace(/^store:/, ""));
  if (reference.digest !== undefined)
    throw new ToolError(
      "USAGE",
      `base debian --name "${request.name}": a new image has no digest yet`,
      { hint: "write --name NAME[:TAG]" },
    );
  const lockPath = request.lock === undefined ? undefined : resolve(session.cwd, request.lock);
  const lock = lockPath === undefined ? undefined : await readLockFile(lockPath);
  await using store = await openStore(session);
  const base = await buildDebianBase({
    include: request.include,
    architectures: request.architectures?.map(architectureOf),
    suite: request.suite,
    mirror: request.mirror,
    snapshot: request.snapshot,
    isFull: request.isFull === true,
    epochS: epochOf(session.environment["SOURCE_DATE_EPOCH"]),
    cacheDir: `${session.directories.cache}/debian`,
    now: Date.now,
    onWarning: (text) => session.emit({ kind: "warning", text }),
    onProgress: (step) => session.emit({ kind: "step", text: sentenceOf(step) }),
    signal: session.signal,
    lock,
    blobs: store,
  });
  if (lockPath !== undefined && lock === undefined) await writeLockFile(lockPath, base.lock);
  const descriptor = await keep(base.images, { store, reference, session });
  const name = `store:${reference.repository}:${reference.tag ?? "latest"}`;
  return {
    name,
    pinnedName: `store:${reference.repository}@${descriptor.digest}`,
    descriptor,
    images: await Promise.all(base.images.map((image) => madeBase(image, name))),
    tookMs: performance.now() - startedAt,
  };
}

function architectureOf(text: string): DebianArchitecture {
  const name = text.replace(/^linux\//, "");
  if (name === "amd64" || name === "arm64") return name;
  throw new ToolError("USAGE", `base debian --arch "${text}": there is no base for it`, {
    hint: "write amd64, arm64, or amd64,arm64",
  });
}

const STEPS: Readonly<Record<BuildStep["step"], string>> = {
  index: "reading the package index",
  solve: "choosing packages",
  download: "downloading packages",
  unpack: "unpacking",
  compress: "making the layer",
};

function sentenceOf({ step, architecture, bytes, label }: BuildStep): string {
  return `${architecture}: ${STEPS[step]}${label === undefined ? "" : ` ${label}`}${bytes === undefined ? "" : ` (${formatBytes(bytes)})`}`;
}

/** One image is named itself; several through an index. */
async function keep(
  images: readonly BuiltBase[],
  {
    store,
    reference,
    session,
  }: { readonly store: Store; readonly reference: Reference; readonly session: Places },
): Promise<Descriptor> {
  const { signal } = session;
  const to = images.length === 1 ? [reference] : [];
  const entries: { readonly descriptor: Descriptor; readonly platform: BuiltBase["platform"] }[] =
    [];
  for (const { image, platform } of images)
    entries.push({
      platform,
      descriptor: (await pushImage(image, store, { to, signal })).descriptor,
    });
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) return only.descriptor;
  const { bytes, descriptor } = createIndex(entries);
  await store.put(descriptor, oneChunk(bytes), { signal });
  await store.tag(descriptor, reference, { signal });
  return descriptor;
}

async function madeBase(
  { image, platform, packages, facts, layersMade }: BuiltBase,
  name: string,
): Promise<MadeBase> {
  const layers = await Promise.all((await image.layers()).map((layer) => layer.descriptor()));
  const { digest } = await imageDescriptor(image);
  return {
    platform: formatPlatform(platform),
    digest,
    names: [name],
    isPushed: false,
    packages: packages.length || facts.packages.length,
    layers: layers.length,
    layersMade,
    bytes: layers.reduce((sum, { size }) => sum + size, 0),
    suite: facts.suite,
    glibc: facts.glibc,
    python: facts.python?.version,
  };
}
