import { resolve } from "node:path";
import { copy, parseLocation, type CopyOptions, type CopyResult } from "../../images/copy/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import {
  parseReference,
  type Descriptor,
  type Digest,
  type Platform,
  type Reference,
} from "../../images/oci/index.ts";
import type { Places } from "../session.ts";
import { manifestsUnder } from "./look.ts";
import { openEngine, openForReading, openForWriting, type ReadPlace } from "./places.ts";
import { formatBytes } from "../format.ts";
import { historyOf } from "../shown/index.ts";

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
export async function move(options: MoveOptions, session: Places): Promise<Moved> {
  await using from = await openForReading(options.from, session, {
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
      return await moveBlobs(from, options, session);
    case "oci-archive":
    case "docker-archive":
      return await moveToArchive(
        from,
        { path: resolve(session.cwd, target.path), names: namesFor(from.reference) },
        session,
      );
    case "docker-daemon":
    case "podman":
      return await moveToEngine(from, target, session);
    default:
      return target satisfies never;
  }
}

async function moveBlobs(from: ReadPlace, options: MoveOptions, session: Places): Promise<Moved> {
  await using target = await openForWriting(options.to, session, { isInStore: options.isToStore });
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
    labelOf: await labelsIn(from, options, session),
    onProgress: (progress) => session.emit(progress),
    signal: session.signal,
  });
  return { descriptor: result.descriptor, result };
}

/**
 * The name of the image in that place. A layout folder without a tag gets the tag that the image
 * had.
 */
function namesIn(target: Reference, from: Reference): readonly Reference[] {
  if (target.tag !== undefined) return [target];
  return target.registry === "" ? [{ ...target, tag: from.tag ?? "latest" }] : [];
}

/** What the layers that this tool made are called. Read where that costs no request. */
async function labelsIn(
  from: ReadPlace,
  { platform, isFromStore }: MoveOptions,
  session: Places,
): Promise<CopyOptions["labelOf"]> {
  const kind = isFromStore === true ? "store" : parseLocation(from.name).kind;
  if (kind === "registry" || platform !== undefined) return undefined;
  const labels = new Map<Digest, string>();
  for (const { manifest, config } of await manifestsUnder(
    from.source,
    await from.source.resolve(from.reference, session),
    session,
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
  session: Places,
): Promise<Moved> {
  const { createImageArchive, writeArchive } = await import("../../images/layout/index.ts");
  const descriptor = await from.source.resolve(from.reference, session);
  const archive = await createImageArchive(from.source, [{ descriptor, references: to.names }], {
    signal: session.signal,
  });
  session.emit({ kind: "step", text: `writing ${to.path} (${formatBytes(archive.size)})` });
  await writeArchive(to.path, archive, { signal: session.signal });
  return { descriptor };
}

async function moveToEngine(
  from: ReadPlace,
  target: { readonly kind: "docker-daemon" | "podman"; readonly name: string },
  session: Places,
): Promise<Moved> {
  const [{ createImageArchive }, engine] = await Promise.all([
    import("../../images/layout/index.ts"),
    openEngine(target, session),
  ]);
  const descriptor = await from.source.resolve(from.reference, session);
  const archive = await createImageArchive(
    from.source,
    [{ descriptor, references: [withTag(parseReference(target.name))] }],
    { signal: session.signal },
  );
  session.emit({
    kind: "step",
    text: `loading ${target.name} into ${engine.kind} (${formatBytes(archive.size)})`,
  });
  await engine.load(archive.open({ signal: session.signal }), { signal: session.signal });
  return { descriptor };
}

function namesFor(reference: Reference): readonly Reference[] {
  return reference.registry === "" || reference.tag === undefined ? [] : [reference];
}

function withTag(reference: Reference): Reference {
  return reference.tag === undefined ? { ...reference, tag: "latest" } : reference;
}
