import { parseLocation } from "../../images/copy/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import {
  configOf,
  emptyImage,
  formatPlatform,
  formatReference,
  imageDescriptor,
  imageFrom,
  imagePlatform,
  selectPlatform,
  type Descriptor,
  type Image,
  type Platform,
} from "../../images/oci/index.ts";
import {
  inspectBase,
  type BaseFacts,
  type BaseImage,
  type JsonCache,
} from "../../images/pack/index.ts";
import type { Places } from "../session.ts";
import { openForReading, type ReadPlace } from "../places/places.ts";
import { readIndex } from "../places/read-index.ts";

/** A base that is open: its blobs can be read until it is disposed. */
export interface OpenBase extends AsyncDisposable {
  /** @throws ToolError `BASE_UNSUITABLE` when the base has no image for the platform. */
  imageFor(platform: Platform): Promise<BaseImage>;
}

/** Opens the base that the user names; manifest and config are read, layers only when nothing is known of what is in them. */
export async function openBase(text: string, cache: JsonCache, session: Places): Promise<OpenBase> {
  const place = await openForReading(text, session);
  const target = await place.source.resolve(place.reference, session);
  return {
    async imageFor(platform) {
      const descriptor = await narrow(place, target, { platform, text, session });
      const image = imageFrom(place.source, descriptor);
      const actual = await imagePlatform(image, session);
      if (actual.os !== platform.os || actual.architecture !== platform.architecture) {
        throw new ToolError(
          "BASE_UNSUITABLE",
          `pack on "${text}": it is for ${formatPlatform(actual)}, and ${formatPlatform(platform)} is wanted`,
          { hint: wayOut(text, platform) },
        );
      }
      const { digest } = await imageDescriptor(image, session);
      const isRegistry = parseLocation(text).kind === "registry";
      return {
        image,
        platform,
        digest,
        facts: await baseFactsOf(image, { digest, text, cache, session }),
        name: isRegistry ? formatReference({ ...place.reference }) : text,
        ...(isRegistry ? { mountFrom: place.reference } : {}),
      };
    },
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

interface BaseReference {
  readonly text: string;
  readonly session: Places;
}

async function narrow(
  place: ReadPlace,
  target: Descriptor,
  { platform, text, session }: BaseReference & { readonly platform: Platform },
): Promise<Descriptor> {
  const index = await readIndex(place, target, session);
  if (index === undefined) return target;
  try {
    return selectPlatform(index, platform);
  } catch (error) {
    throw new ToolError(
      "BASE_UNSUITABLE",
      `pack on "${text}": it has no image for ${formatPlatform(platform)}`,
      { cause: error, hint: wayOut(text, platform) },
    );
  }
}

/** A base of ours can be had for every platform that images are made for. */
function wayOut(text: string, { os, architecture }: Platform): string {
  const canMake = os === "linux" && ["amd64", "arm64"].includes(architecture);
  if (!canMake) return "images are made for linux/amd64 and linux/arm64";
  return text.startsWith("store:")
    ? `make it for that platform too: \`slipway base debian --arch amd64,arm64 …\``
    : "choose a base that has it, or make one with `slipway base debian`";
}

async function baseFactsOf(
  image: Image,
  {
    digest,
    text,
    cache,
    session,
  }: BaseReference & { readonly digest: Descriptor["digest"]; readonly cache: JsonCache },
): Promise<BaseFacts> {
  const stated = await statedFacts(image, { digest, cache, session });
  if (stated !== undefined) return stated;
  return inspectBase(
    image,
    {
      digest,
      cache,
      onRead: () => session.emit({ kind: "step", text: `reading what ${text} holds (once)` }),
    },
    session,
  );
}

/** What a base of ours says in its labels; remembered, so that the builder is loaded for a new base only. */
async function statedFacts(
  image: Image,
  {
    digest,
    cache,
    session,
  }: {
    readonly digest: Descriptor["digest"];
    readonly cache: JsonCache;
    readonly session: Places;
  },
): Promise<BaseFacts | undefined> {
  const key = `stated 3 ${digest}`;
  const kept = await cache.get(key);
  // Only this function writes below such a key.
  if (typeof kept === "object" && kept !== null)
    return (kept as { readonly facts?: BaseFacts }).facts;
  const { factsOfImage } = await import("../../images/bases/index.ts");
  const stated = factsOfImage(await configOf(image, session));
  const facts: BaseFacts | undefined =
    stated === undefined
      ? undefined
      : {
          python: stated.python,
          glibc: stated.glibc === "" ? undefined : stated.glibc,
          sonames: stated.sonames,
          ...(stated.packages.some(({ name }) => bringsModules(name)) ? {} : { modules: [] }),
          directories: stated.directories,
        };
  await cache.set(key, facts === undefined ? {} : { facts });
  return facts;
}

/** True for a Debian package with Python modules beside the standard library. */
export function bringsModules(debianPackage: string): boolean {
  return /^python3?-(?!(?:minimal|distutils|lib2to3|venv|tk|gdbm|dbg|dev)$)/.test(debianPackage);
}

/** A base that has nothing in it, for images of weights alone. */
export function openNothing(): OpenBase {
  return {
    async imageFor(platform) {
      const image = emptyImage(platform);
      const { digest } = await imageDescriptor(image);
      return { image, platform, digest, facts: { sonames: [], directories: {} }, name: "scratch" };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
