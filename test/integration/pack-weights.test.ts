import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createSession, pack, type Session } from "../../src/app/index.ts";
import { fetchSource } from "../../src/app/fetch/fetch-source.ts";
import { imageFrom, manifestOf, MEDIA_TYPES, uncompressed } from "../../src/images/oci/index.ts";
import { createStore } from "../../src/images/store/index.ts";
import { readTar } from "../../src/images/tar/index.ts";
import { parseModelUri } from "../../src/models/fetch/index.ts";
import { nameInStore, putFakeBase } from "../support/fake-base.ts";

const CODE = "class Model:\n    def predict(self, X, names=None):\n        return X\n";
const WEIGHTS = Buffer.alloc(9 * 2 ** 20, 7);

interface Place {
  readonly session: Session;
  readonly project: string;
  readonly layersOf: (name: string) => Promise<readonly StoredLayer[]>;
}

interface StoredLayer {
  readonly digest: string;
  readonly mediaType: string;
  /** Of what is no folder. */
  readonly paths: readonly string[];
}

async function weightsPlace(t: TestContext): Promise<Place> {
  const cwd = await mkdtemp(join(tmpdir(), "slipway-weights-"));
  t.after(() => rm(cwd, { recursive: true, force: true }));
  const [dataDir, cacheDir, stateDir] = ["data", "cache", "state"].map((name) => join(cwd, name));
  const directories = { data: dataDir ?? "", cache: cacheDir ?? "", state: stateDir ?? "" };
  const project = join(cwd, "iris");
  await mkdir(join(project, "sub"), { recursive: true });
  await writeFile(join(project, "Model.py"), CODE);
  await writeFile(join(project, "weights.bin"), WEIGHTS);
  await writeFile(join(project, "sub/small.onnx"), "tiny");
  await using store = createStore({ dataDir: directories.data, cacheDir: directories.cache });
  await putFakeBase(store, "base");
  return {
    session: createSession({ cwd, directories, environment: { HOME: cwd } }),
    project,
    async layersOf(name) {
      await using opened = createStore({ dataDir: directories.data, cacheDir: directories.cache });
      const image = imageFrom(opened, await opened.resolve(nameInStore(name)));
      const { layers } = await manifestOf(image);
      const found: StoredLayer[] = [];
      for (const { digest, mediaType, size } of layers) {
        const stored = opened.open({ digest, mediaType, size });
        const paths: string[] = [];
        for await (const { entry } of readTar(uncompressed(stored, mediaType)))
          if (entry.type !== "directory") paths.push(entry.path);
        found.push({ digest, mediaType, paths });
      }
      return found;
    },
  };
}

test("the weights of a class are below /models, in layers that an image of the weights shares", async (t) => {
  const { session, layersOf } = await weightsPlace(t);
  await pack({ folder: "iris", base: "store:base", names: ["store:full"] }, session);
  await pack({ folder: "iris", names: ["store:weights"], isWeightsAlone: true }, session);
  const full = await layersOf("full");
  const weights = await layersOf("weights");
  assert.deepEqual(
    weights.map(({ paths }) => paths),
    [["models/sub/small.onnx"], ["models/weights.bin"]],
  );
  for (const { digest, mediaType } of weights) {
    assert.ok(full.some((layer) => layer.digest === digest));
    assert.equal(mediaType, MEDIA_TYPES.layerTar);
  }
  const code = full.find(({ paths }) => paths.includes("app/Model.py"));
  assert.deepEqual(code?.paths, ["app/Model.py", "app/sub/small.onnx", "app/weights.bin"]);
});

test("the model of an image is fetched from it, and nothing else of the image", async (t) => {
  const { session } = await weightsPlace(t);
  await pack({ folder: "iris", base: "store:base", names: ["store:full"] }, session);
  const folder = join(session.cwd, "models");
  for (const isKept of [false, true]) {
    const source = parseModelUri("oci://store:full", {});
    const model = await fetchSource({ source, folder }, session);
    assert.deepEqual([model.names, model.isKept], [["sub", "weights.bin"], isKept]);
  }
  assert.deepEqual(await readFile(join(folder, "weights.bin")), WEIGHTS);
  assert.equal(await readFile(join(folder, "sub/small.onnx"), "utf8"), "tiny");
});

test("a project without weights makes no image of them", async (t) => {
  const { session, project } = await weightsPlace(t);
  await rm(join(project, "weights.bin"));
  await rm(join(project, "sub"), { recursive: true });
  const request = { folder: "iris", names: ["store:weights"], isWeightsAlone: true };
  await assert.rejects(pack(request, session), { code: "MODEL_NOT_DETECTED", message: /weights/ });
});
