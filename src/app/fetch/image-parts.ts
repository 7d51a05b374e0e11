import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";
import { ContentError } from "../../ground/errors/index.ts";
import { layerCompressionOf, openFrom, type Descriptor } from "../../images/oci/index.ts";
import type { ImagePart, ImageParts } from "../../models/fetch/index.ts";
import { manifestsUnder, type SeenManifest } from "../places/look.ts";
import { openForReading } from "../places/places.ts";
import type { Places } from "../session.ts";

/** Images of models that are open; disposing closes their connections. */
export interface ModelImages extends AsyncDisposable {
  /** What an image or artifact has that may be of a model. @throws as `openForReading`; ContentError `UNSUPPORTED` */
  open(name: string): Promise<ImageParts>;
}

/** @see ModelPack, spec.md: media types of layers, and the annotation of a file's path */
const MODEL_PACK =
  /^application\/vnd\.cncf\.model\.(?:weight|weight\.config|dataset|code|doc)\.v1\.(raw|tar(?:\+gzip|\+zstd)?)$/;
const FILE_PATH = "org.cncf.model.filepath";
/** Set on every image of ours, whose layers have their entries in order. */
const OURS = "dev.slipway.version";

/** Opens images in registries and other places, for `oci://`. */
export function createModelImages(session: Places): ModelImages {
  const opened: AsyncDisposable[] = [];
  return {
    async open(name) {
      const place = await openForReading(name, session);
      opened.push(place);
      const { source } = place;
      const target = await source.resolve(place.reference, session);
      const seen = chosen(await manifestsUnder(source, target, session), name);
      const open: OpenBlob = (part, offset, options = session) =>
        openFrom(source, part, { ...options, offset, isRaw: part.digest.startsWith("sha256:") });
      return { digest: target.digest, parts: partsOf(seen, name, open) };
    },
    async [Symbol.asyncDispose]() {
      for (const place of opened) await place[Symbol.asyncDispose]();
    },
  };
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** That of this machine's processor; a model is mostly the same in all of them. */
function chosen(manifests: readonly SeenManifest[], name: string): SeenManifest {
  const wanted = ARCHITECTURES[process.arch];
  const [first] = manifests;
  const own = manifests.find(({ platform }) => platform?.architecture === wanted) ?? first;
  if (own !== undefined) return own;
  throw new ContentError("UNSUPPORTED", `read the model in "${name}": its index is empty`);
}

type OpenBlob = (part: Descriptor, offset: number, options?: CallOptions) => Bytes;

function partsOf({ manifest }: SeenManifest, name: string, open: OpenBlob): readonly ImagePart[] {
  const isSorted = manifest.annotations?.[OURS] !== undefined;
  const parts = manifest.layers.flatMap((layer): readonly ImagePart[] => {
    const { mediaType, size, annotations } = layer;
    const common = {
      ...{ size, digest: layer.digest },
      open: (offset: number, options?: CallOptions) => open(layer, offset, options),
    };
    const [, form] = MODEL_PACK.exec(mediaType) ?? [];
    if (form === "raw") return [{ ...common, kind: "file", path: annotations?.[FILE_PATH] ?? "" }];
    if (form !== undefined) return [{ ...common, kind: "files" }];
    if (layerCompressionOf(mediaType) === undefined) return [];
    return [{ ...common, kind: "layer", isSorted }];
  });
  if (parts.length > 0) return parts;
  throw new ContentError("UNSUPPORTED", `read the model in "${name}": it has no layer of a model`, {
    hint: "name an image with the model below /models, or a ModelPack artifact",
  });
}
