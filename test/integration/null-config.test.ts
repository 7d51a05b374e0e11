import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { digestOf, MEDIA_TYPES, type Descriptor } from "../../src/images/oci/index.ts";
import type { Store } from "../../src/images/store/index.ts";
import { nameInStore } from "../support/fake-base.ts";
import { packPlace, writeFiles } from "../support/pack-place.ts";
import { oneChunk } from "../../src/ground/bytes/index.ts";
import { tarOf } from "../support/tiny-tar.ts";

/** An image as Docker's classic builder leaves it: `null` wherever nothing was said. */
async function putClassicImage(store: Store, name: string): Promise<void> {
  const put = async (mediaType: string, bytes: Uint8Array): Promise<Descriptor> => {
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
    await store.put(descriptor, oneChunk(bytes));
    return descriptor;
  };
  const tar = tarOf({ m: "model" });
  const layer = await put(MEDIA_TYPES.layerTar, tar);
  const nothing = ["Env", "Cmd", "Entrypoint", "Volumes", "OnBuild", "Labels", "ExposedPorts"];
  const config = {
    architecture: "amd64",
    os: "linux",
    variant: null,
    author: null,
    config: Object.fromEntries(nothing.map((key) => [key, null])),
    container_config: { Labels: null },
    history: null,
    rootfs: { type: "layers", diff_ids: [layer.digest] },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.imageManifest,
    config: await put(MEDIA_TYPES.imageConfig, Buffer.from(JSON.stringify(config))),
    layers: [layer],
    annotations: null,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await store.tag(await put(MEDIA_TYPES.imageManifest, bytes), nameInStore(name));
}

test("an image whose config says null everywhere is inspected, and judged as a base", async (t) => {
  const line = await packPlace(t);
  await putClassicImage(line.store, "classic");
  const inspected = await line.slipway("inspect", "store:classic");
  assert.equal(inspected.exitCode, 0, inspected.stderr);
  await writeFiles(join(line.root, "p"), {
    "Model.py": "class Model:\n    def predict(self, X, names=None):\n        return X\n",
  });
  const packed = await line.slipway("pack", "p", "--base", "store:classic");
  assert.match(packed.stderr, /error BASE_UNSUITABLE: .*no glibc/);
  const old = await line.slipway(
    ..."packdocker self --bimg_name store:classic --pack_file_path p --main_module Model --main_class Model".split(
      " ",
    ),
    ..."--uhub_imagename old:v1 --uhub_registry team --no-push".split(" "),
  );
  assert.doesNotMatch(old.stderr, /INTERNAL/);
});
