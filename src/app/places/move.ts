import { resolve } from "node:path";
import { copy, parseLocation, type CopyOptions, type CopyResult } from "../../images/copy/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import {
  formatReference,
  parseReference,
  type Descriptor,
  type Digest,
  type Platform,
  type Reference,
} from "../../images/oci/index.ts";
import type { Context } from "../context.ts";
import { manifestsUnder } from "./look.ts";
import { openEngine, openForReading, openForWriting, type ReadPlace } from "./places.ts";
import { formatBytes, formatDuration } from "../format.ts";
import { historyOf } from "../image-label.ts";

export interface MoveOptions {
  readonly from: string;
  readonly to: string;
  readonly platform?: Platform | undefined;
  /** `from` is a name of the local store. */
  readonly isFromStore?: boolean | undefined;
  /** `to` is a name of the local store. */
  readonly isToStore?: boolean | undefined;
  /** Also what refers to it: signatures, bills of materials. */
  readonly withReferrers?: boolean | undefined;
  /** Repositories of the target's registry to mount blobs from. */
  readonly mountFrom?: readonly Reference[] | undefined;
}

/** What a move came to. */
export interface Moved {
  readonly descriptor: Descriptor;
  readonly result?: CopyResult;
}

// `return await` everywhere below: what is disposed at the end of a function must outlive what the function gives back.
/** Copies one image from any place to any other; an archive or engine gets it as a whole. */
export async function move(options: MoveOptions, context: Context): Promise<Moved> {
  await using from = await openForReading(options.from, context, {
    isInStore: options.isFromStore,
  });
  if (options.withReferrers === true && from.referrersOf === undefined)
    throw new ToolError(
      "USAGE",
      `copy "${options.from}": only a registry can tell what refers to an image`,
      { hint: "leave --referrers away" },
    );
  const target = parseLocation(options.to);
  switch (target.kind) {
    case "store":
    case "registry":
    case "oci":
      return await moveBlobs(from, options, context);
    case "oci-archive":
    case "docker-archive":
      return await moveToArchive(
        from,
        { path: resolve(context.cwd, target.path), names: namesFor(from.reference) },
        context,
      );
    case "docker-daemon":
    case "podman":
      return await moveToEngine(from, target, context);
    default:
      return target satisfies never;
  }
}

async function moveBlobs(from: ReadPlace, options: MoveOptions, context: Context): Promise<Moved> {
  await using target = await openForWriting(options.to, context, { isInStore: options.isToStore });
  const isSamePlace =
    options.isFromStore !== true &&
    options.isToStore !== true &&
    from.reference.registry === target.reference.registry &&
    from.reference.registry !== "";
  const result = await copy(from.source, target.sink, {
    from: from.reference,
    to: namesIn(target.reference, from.reference),
    platform: options.platform,
    mountFrom: [
      ...(isSamePlace ? [from.reference] : []),
      ...(from.mountFrom ?? []),
      ...(options.mountFrom ?? []),
    ].filter(({ registry }) => registry === target.reference.registry),
    referrersOf: options.withReferrers === true ? from.referrersOf : undefined,
    labelOf: await labelsIn(from, options, context),
    onProgress: (progress) => context.reporter.blob(progress),
    signal: context.signal,
  });
  return { descriptor: result.descriptor, result };
}

/** What the image is called there. A layout folder without a tag gets the one that the image had, so that others find it. */
function namesIn(target: Reference, from: Reference): readonly Reference[] {
  if (target.tag !== undefined) return [target];
  return target.registry === "" ? [{ ...target, tag: from.tag ?? "latest" }] : [];
}

/** What the layers that this tool made are called. Read where that costs no request. */
async function labelsIn(
  from: ReadPlace,
  { platform, isFromStore }: MoveOptions,
  context: Context,
): Promise<CopyOptions["labelOf"]> {
  const kind = isFromStore === true ? "store" : parseLocation(from.name).kind;
  if (kind === "registry" || platform !== undefined) return undefined;
  const labels = new Map<Digest, string>();
  for (const { manifest, config } of await manifestsUnder(
    from.source,
    await from.source.resolve(from.reference, context),
    context,
  )) {
    if (config === undefined) continue;
    labels.set(manifest.config.digest, "config");
    for (const [index, text] of historyOf(config).entries()) {
      const [, label] = /^slipway [^:]+: (.{1,60})$/.exec(text) ?? [];
      const layer = manifest.layers[index];
      if (label !== undefined && layer !== undefined) labels.set(layer.digest, label);
    }
  }
  return ({ digest }) => labels.get(digest);
}

async function moveToArchive(
  from: ReadPlace,
  to: { readonly path: string; readonly names: readonly Reference[] },
  context: Context,
): Promise<Moved> {
  const { createImageArchive, writeArchive } = await import("../../images/layout/index.ts");
  const descriptor = await from.source.resolve(from.reference, context);
  const archive = await createImageArchive(from.source, [{ descriptor, references: to.names }], {
    signal: context.signal,
  });
  context.reporter.step(`writing ${to.path} (${formatBytes(archive.size)})`);
  await writeArchive(to.path, archive, { signal: context.signal });
  return { descriptor };
}

async function moveToEngine(
  from: ReadPlace,
  target: { readonly kind: "docker-daemon" | "podman"; readonly name: string },
  context: Context,
): Promise<Moved> {
  const [{ createImageArchive }, engine] = await Promise.all([
    import("../../images/layout/index.ts"),
    openEngine(target, context),
  ]);
  const descriptor = await from.source.resolve(from.reference, context);
  const archive = await createImageArchive(
    from.source,
    [{ descriptor, references: [withTag(parseReference(target.name))] }],
    { signal: context.signal },
  );
  context.reporter.step(
    `loading ${target.name} into ${engine.kind} (${formatBytes(archive.size)})`,
  );
  await engine.load(archive.open({ signal: context.signal }), { signal: context.signal });
  return { descriptor };
}

function namesFor(reference: Reference): readonly Reference[] {
  return reference.registry === "" || reference.tag === undefined ? [] : [reference];
}

function withTag(reference: Reference): Reference {
  return reference.tag === undefined ? { ...reference, tag: "latest" } : reference;
}

/** The closing lines of everything that moves an image, and the same as data. */
export function reportMoved(
  context: Context,
  what: {
    readonly verb: string;
    readonly to: string;
    readonly moved: Moved;
    readonly startedAt: number;
  },
): void {
  const { descriptor, result } = what.moved;
  const tookMs = performance.now() - what.startedAt;
  if (result !== undefined) {
    context.reporter.line(
      `${what.verb} in ${formatDuration(tookMs)}: ${summaryOf(result, what.verb === "pulled" ? "fetched" : "sent")}`,
    );
  }
  context.reporter.line(pinnedName(what.to, descriptor));
  context.reporter.result({
    reference: pinnedName(what.to, descriptor),
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    ...(result === undefined
      ? {}
      : {
          bytesUploaded: result.bytesUploaded,
          bytesMounted: result.bytesMounted,
          bytesSkipped: result.bytesSkipped,
          blobsUploaded: result.blobsUploaded,
        }),
    seconds: Math.round(tookMs) / 1000,
  });
}

/** `4.9 KiB sent, 60.4 MiB mounted`; what did not happen is not mentioned. */
function summaryOf(
  { bytesUploaded, bytesMounted, bytesSkipped }: CopyResult,
  verb: string,
): string {
  const parts = [
    [bytesMounted, "mounted"],
    [bytesSkipped, "already there"],
  ] as const;
  return [
    `${formatBytes(bytesUploaded)} ${verb}`,
    ...parts.flatMap(([bytes, what]) => (bytes === 0 ? [] : [`${formatBytes(bytes)} ${what}`])),
  ].join(", ");
}

/** A name that will always mean this image: by digest where the place knows digests. */
export function pinnedName(text: string, descriptor: Descriptor): string {
  const location = parseLocation(text);
  if (location.kind === "registry")
    return formatReference({
      registry: location.reference.registry,
      repository: location.reference.repository,
      digest: descriptor.digest,
    });
  if (location.kind === "store")
    return `store:${location.reference.repository}@${descriptor.digest}`;
  return `${text} ${descriptor.digest}`;
}
