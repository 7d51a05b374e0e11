import {
  appendLayers,
  createIndex,
  digestOf,
  emptyImage,
  imageDescriptor,
  manifestOf,
  MEDIA_TYPES,
  mutateConfig,
  parseReference,
  type Descriptor,
  type Image,
} from "../../src/images/oci/index.ts";
import type { Store } from "../../src/images/store/index.ts";
import { bytesLayer, randomLayer } from "./random-image.ts";
import { tarOf } from "./tiny-tar.ts";

export interface FakeBaseOptions {
  readonly architectures?: readonly string[];
  readonly layers?: number;
  readonly python?: string;
  readonly glibc?: string;
  /** More libraries than the usual ones. */
  readonly libraries?: readonly string[];
  /** Claims a Python that is not there. Default false. */
  readonly isBare?: boolean;
  /** Empty files of a layer of its own. */
  readonly files?: readonly string[];
  /** Names of Debian packages that it claims to have. */
  readonly packages?: readonly string[];
}

/** A base of random bytes that says of itself what a Debian base says. @returns the descriptor of its index, or image. */
export async function putFakeBase(
  store: Store,
  name: string,
  options: FakeBaseOptions = {},
): Promise<Descriptor> {
  const { architectures = ["amd64"] } = options;
  const images: { descriptor: Descriptor; platform: { os: string; architecture: string } }[] = [];
  for (const [index, architecture] of architectures.entries())
    images.push({
      descriptor: await putImage(store, fakeBase(architecture, index, options)),
      platform: { os: "linux", architecture },
    });
  const [only] = images;
  if (images.length === 1 && only !== undefined) {
    await store.tag(only.descriptor, nameInStore(name));
    return only.descriptor;
  }
  const { bytes, descriptor } = createIndex(images);
  await store.put(descriptor, chunk(bytes));
  await store.tag(descriptor, nameInStore(name));
  return descriptor;
}

function fakeBase(
  architecture: string,
  seed: number,
  {
    layers = 2,
    python = "3.11.2",
    glibc = "2.36",
    isBare = false,
    libraries = [],
    files = [],
    packages = [],
  }: FakeBaseOptions,
): Image {
  const additions = Array.from({ length: layers }, (_, index) => ({
    layer: randomLayer({ seed: 100 * seed + index, bytes: 30_000, compression: "gzip" }),
    history: { created_by: `base ${index}` },
  }));
  if (!isBare) {
    const tar = tarOf({
      "usr/bin/python3": { type: "2", link: "python3.11" },
      ...Object.fromEntries(files.map((path) => [path, ""])),
    });
    additions.push({
      layer: bytesLayer(tar, MEDIA_TYPES.layerTar, digestOf(tar)),
      history: { created_by: "python" },
    });
  }
  const labels = {
    suite: "bookworm",
    architecture,
    glibc,
    ...(python === ""
      ? {}
      : {
          "python.version": python,
          "python.executable": "/usr/bin/python3",
          "python.site-packages": "/usr/lib/python3/dist-packages",
        }),
    packages: JSON.stringify(packages.map((name) => [name, "1.0", architecture])),
    sonames: ["libstdc++.so.6", "libgcc_s.so.1", ...libraries].join(" "),
    directories: "{}",
  };
  const Labels = Object.fromEntries(
    Object.entries(labels).map(([key, value]) => [`dev.slipway.base.${key}`, value]),
  );
  return mutateConfig(
    appendLayers(emptyImage({ os: "linux", architecture }), additions),
    (config) => ({ ...config, config: { Labels } }),
  );
}

async function putImage(store: Store, image: Image): Promise<Descriptor> {
  for (const layer of await image.layers()) await store.put(await layer.descriptor(), layer.open());
  await store.put((await manifestOf(image)).config, chunk(await image.rawConfig()));
  const descriptor = await imageDescriptor(image);
  await store.put(descriptor, chunk(await image.rawManifest()));
  return descriptor;
}

/** How the store calls `store:NAME`. */
export function nameInStore(name: string): ReturnType<typeof parseReference> {
  return { registry: "store", repository: name, tag: "latest" };
}

async function* chunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
