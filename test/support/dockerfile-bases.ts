import { readFileSync } from "node:fs";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { ContentError } from "../../src/ground/errors/index.ts";
import {
  appendLayers,
  digestOf,
  emptyImage,
  imageDescriptor,
  MEDIA_TYPES,
  mutateConfig,
  parsePlatform,
  type Layer,
  type Platform,
  type RunConfig,
} from "../../src/images/oci/index.ts";
import type { BaseImage } from "../../src/images/recipe/index.ts";
import { writeTar, type TarInput } from "../../src/images/tar/index.ts";

interface FixtureEntry extends Omit<TarInput, "size" | "content" | "xattrs"> {
  readonly text?: string;
  readonly base64?: string;
  readonly xattr?: readonly [name: string, hex: string];
}

interface Fixture {
  readonly layers: readonly (readonly FixtureEntry[])[];
  readonly images: Readonly<
    Record<
      string,
      {
        readonly layerType: string;
        readonly config: RunConfig;
        readonly architecture: string;
        readonly variant?: string;
        readonly layers: readonly number[];
      }
    >
  >;
}

const FIXTURE = JSON.parse(
  readFileSync(new URL("../fixtures/dockerfiles/bases.json", import.meta.url), "utf8"),
) as Fixture;

/** The base images of the Dockerfile cases, by the name that a Dockerfile uses, `corpus/…:1` behind any host. */
export async function openCaseBase(name: string, platform: Platform): Promise<BaseImage> {
  const key = /corpus\/[\w-]+/.exec(name)?.[0] ?? name;
  const isKnown = name.endsWith(":1") || name.includes("@sha256:");
  const found = FIXTURE.images[`${key}:1`] ?? FIXTURE.images[`${key}:1-${platform.architecture}`];
  if (found === undefined || !isKnown)
    throw new ContentError("REFERENCE_NOT_FOUND", `read "${name}": not found`);
  const own: Platform = {
    ...parsePlatform(`linux/${found.architecture}`),
    ...(found.variant === undefined ? {} : { variant: found.variant }),
  };
  const layers = await Promise.all(
    found.layers.map((index) => layerOf(FIXTURE.layers[index] ?? [], found.layerType)),
  );
  const image = mutateConfig(
    appendLayers(
      emptyImage(own),
      layers.map((layer) => ({ layer, history: { created_by: "base" } })),
    ),
    (config) => ({ ...config, config: found.config }),
  );
  const { digest } = await imageDescriptor(image);
  return { image, platform: own, digest, name, facts: { sonames: [], directories: {} } };
}

async function layerOf(entries: readonly FixtureEntry[], mediaType: string): Promise<Layer> {
  const tar = Buffer.concat(await Array.fromAsync(writeTar(entries.map(toInput))));
  const type = mediaType === MEDIA_TYPES.dockerLayerGzip ? MEDIA_TYPES.layerTarGzip : mediaType;
  const stored =
    type === MEDIA_TYPES.layerTarGzip
      ? gzipSync(tar)
      : type === MEDIA_TYPES.layerTarZstd
        ? zstdCompressSync(tar)
        : tar;
  return {
    descriptor: async () => ({
      mediaType: type,
      digest: digestOf(stored),
      size: stored.byteLength,
    }),
    diffId: async () => digestOf(tar),
    async *open() {
      yield stored;
    },
  };
}

function toInput(entry: FixtureEntry): TarInput {
  const { text, base64, xattr, ...rest } = entry;
  const content = Buffer.from(base64 ?? text ?? "", base64 === undefined ? "utf8" : "base64");
  const isWhiteout = /(?:^|\/)\.wh\./.test(entry.path);
  return {
    ...rest,
    size: entry.type === "file" ? content.byteLength : 0,
    ...(content.byteLength > 0 ? { content } : {}),
    ...(xattr === undefined ? {} : { xattrs: { [xattr[0]]: Buffer.from(xattr[1], "hex") } }),
    ...(isWhiteout ? { isWhiteout } : {}),
  };
}
