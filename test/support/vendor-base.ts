import { oneChunk } from "../../src/ground/bytes/index.ts";
import {
  appendLayers,
  digestOf,
  emptyImage,
  imageDescriptor,
  manifestOf,
  MEDIA_TYPES,
  mutateConfig,
} from "../../src/images/oci/index.ts";
import type { Store } from "../../src/images/store/index.ts";
import { nameInStore } from "./fake-base.ts";
import { bytesLayer } from "./random-image.ts";
import { tarOf } from "./tiny-tar.ts";

const ROOT = "ai-ucloud-client-django";
const SERVER = [`${ROOT}/gunicorn.conf.py`, `${ROOT}/httpserver/wsgi.pyc`];

/** Puts an image into a store that has the folder and the server of the vendor's bases, Python 2 alone, and settings that are not ours. */
export async function putVendorBase(
  store: Store,
  name: string,
  files: readonly string[] = SERVER,
): Promise<void> {
  const tar = tarOf({
    "usr/bin/python2.7": "",
    ...Object.fromEntries(files.map((path) => [path, "# theirs"])),
  });
  const image = mutateConfig(
    appendLayers(emptyImage({ os: "linux", architecture: "amd64" }), [
      {
        layer: bytesLayer(tar, MEDIA_TYPES.layerTar, digestOf(tar)),
        history: { created_by: "vendor" },
      },
    ]),
    (config) => ({
      ...config,
      config: {
        User: "root",
        WorkingDir: "/root",
        Env: ["PATH=/usr/bin:/bin", "LANG=C"],
        Entrypoint: ["/sbin/tini", "--"],
        Cmd: ["bash"],
        ExposedPorts: { "22/tcp": {} },
      },
    }),
  );
  for (const layer of await image.layers()) await store.put(await layer.descriptor(), layer.open());
  await store.put((await manifestOf(image)).config, oneChunk(await image.rawConfig()));
  const descriptor = await imageDescriptor(image);
  await store.put(descriptor, oneChunk(await image.rawManifest()));
  await store.tag(descriptor, nameInStore(name));
}
