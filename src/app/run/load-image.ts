import type { Engine } from "../../images/engine/index.ts";
import { isToolError } from "../../ground/errors/index.ts";
import { createImageArchive, type ArchiveStream } from "../../images/layout/index.ts";
import {
  configOf,
  imageFrom,
  manifestOf,
  parseReference,
  type Descriptor,
  type Digest,
  type Source,
} from "../../images/oci/index.ts";
import type { Places } from "../session.ts";
import { formatBytes } from "../format.ts";

/** An image and the name that an engine shall have it under. */
export interface LoadRequest {
  readonly source: Source;
  readonly descriptor: Descriptor;
  readonly name: string;
  /** Name of an image of the engine's that may have some of the layers already. Default: `name`. */
  readonly like?: string | undefined;
}

/**
 * Gives an engine an image under a name. Where docker's older image of that name stands on the same layers, those are not sent again:
 * a change of code costs no reading of what lies below it.
 */
export async function loadImage(
  engine: Engine,
  request: LoadRequest,
  session: Places,
): Promise<void> {
  const shared = await sharedLayers(engine, request, session);
  if (shared.size > 0) {
    try {
      return await send(engine, await archiveOf(request, shared, session), {
        request,
        session,
        note: `, ${shared.size} layers are there`,
      });
    } catch (error) {
      // Some of docker's image stores want every layer with every image.
      if (!isToolError(error) || error.code !== "ENGINE_FAILED") throw error;
    }
  }
  await send(engine, await archiveOf(request, undefined, session), { request, session, note: "" });
}

function archiveOf(
  { source, descriptor, name }: LoadRequest,
  without: ReadonlySet<Digest> | undefined,
  { signal }: Places,
): Promise<ArchiveStream> {
  return createImageArchive(source, [{ descriptor, references: [parseReference(name)] }], {
    signal,
    ...(without === undefined ? {} : { without }),
  });
}

async function send(
  engine: Engine,
  archive: ArchiveStream,
  {
    request,
    session,
    note,
  }: { readonly request: LoadRequest; readonly session: Places; readonly note: string },
): Promise<void> {
  session.emit({
    kind: "step",
    text: `loading ${request.like ?? request.name} into ${engine.kind} (${formatBytes(archive.size)}${note})`,
  });
  await engine.load(archive.open({ signal: session.signal }), { signal: session.signal });
}

/** Stored digests of the layers that the engine's image of that name has below all others. */
async function sharedLayers(
  engine: Engine,
  { source, descriptor, name, like = name }: LoadRequest,
  session: Places,
): Promise<ReadonlySet<Digest>> {
  if (engine.kind !== "docker") return new Set();
  const there = (await engine.diffIds(like, session)) ?? [];
  const image = imageFrom(source, descriptor);
  const [{ layers }, { rootfs }] = await Promise.all([
    manifestOf(image, session),
    configOf(image, session),
  ]);
  const end = rootfs.diff_ids.findIndex((diffId, index) => diffId !== there[index]);
  const common = layers.slice(0, end < 0 ? layers.length : end);
  // The same blob may stand higher up as well, where docker would need it.
  const above = new Set(layers.slice(common.length).map(({ digest }) => digest));
  return new Set(common.map(({ digest }) => digest).filter((digest) => !above.has(digest)));
}
