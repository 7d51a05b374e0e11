import { arch } from "node:os";
import { parseLocation } from "../../images/copy/index.ts";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import {
  formatPlatform,
  parsePlatform,
  type Platform,
  type Reference,
} from "../../images/oci/index.ts";
import type { Places } from "../session.ts";
import { imagesUnder, type SeenImage } from "../places/look.ts";
import { openForReading, type ReadPlace } from "../places/places.ts";

/** An image that shall run, and where its content is. */
export interface RunSource extends AsyncDisposable {
  readonly place: ReadPlace;
  readonly seen: SeenImage;
}

export interface RunSourceOptions {
  /** Default: this machine's. */
  readonly platform?: string | undefined;
  /** Asks the registry though the store has an image of that name. */
  readonly isPull?: boolean | undefined;
}

/**
 * Finds an image: one of a registry's name in the store first, then in the registry.
 * @throws ToolError `REFERENCE_NOT_FOUND`, `UNSUPPORTED` when it has nothing for the platform, and what reading the place throws.
 */
export async function openRunSource(
  text: string,
  options: RunSourceOptions,
  session: Places,
): Promise<RunSource> {
  const place = await findPlace(text, options, session);
  try {
    const target = await place.source.resolve(place.reference, session);
    const seen = choose(await imagesUnder(place.source, target, session), {
      text,
      platform: options.platform,
    });
    return { place, seen, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
  } catch (error) {
    await place[Symbol.asyncDispose]();
    throw error;
  }
}

/** The name holds the digest, so the engine never runs an older image under it. */
export function engineName({ repository }: Reference, { descriptor }: SeenImage): string {
  const name = repository === "" ? "image" : repository;
  return `slipway.local/${name}:${descriptor.digest.slice(descriptor.digest.indexOf(":") + 1).slice(0, 16)}`;
}

async function findPlace(
  text: string,
  { isPull = false }: RunSourceOptions,
  session: Places,
): Promise<ReadPlace> {
  if (parseLocation(text).kind !== "registry") return openForReading(text, session);
  if (isPull) return openForReading(text, session);
  try {
    return await openForReading(text, session, { isInStore: true });
  } catch (error) {
    if (!isToolError(error) || error.code !== "REFERENCE_NOT_FOUND") throw error;
    return openForReading(text, session);
  }
}

function choose(
  images: readonly SeenImage[],
  { text, platform }: { readonly text: string; readonly platform: string | undefined },
): SeenImage {
  const wanted = platform === undefined ? ownPlatform() : parsePlatform(platform);
  const found = images.find(
    (image) =>
      image.platform.os === wanted.os && image.platform.architecture === wanted.architecture,
  );
  if (found !== undefined) return found;
  const known = images.map((image) => formatPlatform(image.platform)).join(", ");
  throw new ToolError(
    "UNSUPPORTED",
    `run "${text}": it is for ${known === "" ? "no platform" : known}, and ${formatPlatform(wanted)} is wanted`,
    {
      hint:
        images.length === 0
          ? "name an image"
          : `pass --platform ${formatPlatform(images[0]?.platform ?? wanted)} where the engine can emulate it`,
    },
  );
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** What containers on this machine run on. */
export function ownPlatform(): Platform {
  return { os: "linux", architecture: ARCHITECTURES[arch()] ?? arch() };
}
