import { parseLocation } from "../../images/copy/index.ts";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import {
  formatPlatform,
  formatReference,
  imageDescriptor,
  imageFrom,
  imagePlatform,
  selectPlatform,
  type Platform,
} from "../../images/oci/index.ts";
import type { BaseImage } from "../../images/recipe/index.ts";
import type { Places } from "../session.ts";
import { openForReading, type ReadPlace } from "../places/places.ts";
import { readIndex } from "../places/read-index.ts";

/** Images that a Dockerfile names. They can be read until this is disposed. */
export interface OpenImages extends AsyncDisposable {
  /** Manifest and config are read, layers only when somebody asks for them. @throws what finding the image throws. */
  open(name: string, platform: Platform): Promise<BaseImage>;
}

/** Opens images by the names that a Dockerfile uses: `HOST/NAME:TAG`, `NAME` on Docker Hub, `store:NAME`, or what was built here before. */
export function openImages(session: Places): OpenImages {
  const places: ReadPlace[] = [];
  return {
    async open(name, platform) {
      const place = await openPlace(name, session);
      places.push(place);
      return openIn(place, platform, session);
    },
    async [Symbol.asyncDispose]() {
      for (const place of places.reverse()) await place[Symbol.asyncDispose]();
    },
  };
}

/**
 * The registry does not know the name. It may be an image that was built here and is not pushed
 * yet.
 */
async function openPlace(name: string, session: Places): Promise<ReadPlace> {
  const { kind } = parseLocation(name);
  if (kind !== "registry" && kind !== "store")
    throw new ToolError("USAGE", "an image of a Dockerfile is in a registry or in the store", {
      hint: `run \`slipway copy ${name} store:base\`, then write store:base`,
    });
  const place = await openForReading(name, session, { isStoreFirst: true });
  try {
    await place.source.resolve(place.reference, session);
    return place;
  } catch (error) {
    await place[Symbol.asyncDispose]();
    const isUnknown = isToolError(error) && error.code === "REFERENCE_NOT_FOUND";
    if (!isUnknown || kind === "store") throw error;
    return await openStoredInstead(name, error, session);
  }
}

async function openStoredInstead(
  name: string,
  error: unknown,
  session: Places,
): Promise<ReadPlace> {
  try {
    return await openForReading(name, session, { isInStore: true });
  } catch (other) {
    if (isToolError(other) && other.code === "REFERENCE_NOT_FOUND") throw error;
    throw other;
  }
}

async function openIn(place: ReadPlace, platform: Platform, session: Places): Promise<BaseImage> {
  const target = await place.source.resolve(place.reference, session);
  const index = await readIndex(place, target, session);
  const image = imageFrom(
    place.source,
    index === undefined ? target : selectPlatform(index, platform),
  );
  const actual = await imagePlatform(image, session);
  if (actual.os !== platform.os || actual.architecture !== platform.architecture)
    session.emit({
      kind: "warning",
      text: `"${place.name}" is for ${formatPlatform(actual)}, and ${formatPlatform(platform)} is wanted`,
    });
  const { digest } = await imageDescriptor(image, session);
  const isRegistry = place.referrersOf !== undefined;
  const mountFrom = isRegistry ? place.reference : place.mountFrom?.[0];
  return {
    image,
    platform: actual,
    digest,
    facts: { sonames: [], directories: {} },
    name: isRegistry ? formatReference({ ...place.reference }) : place.name,
    ...(mountFrom === undefined ? {} : { mountFrom }),
  };
}
