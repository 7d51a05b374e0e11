import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { ModelDescription } from "../../src/model/index.ts";
import { createLogger, serveModel } from "../../src/serve/index.ts";
import { printConf } from "../../src/uai/index.ts";
import { pythonEnv } from "../support/python-env.ts";

const DATA = resolve(process.env["SLIPWAY_TEST_DATA"] ?? join(import.meta.dirname, "../../../shared/data"), "mnist");

/** Written as for the old service; OpenCV reads what Caffe wrote. */
const SOURCE = `
import cv2, numpy as np
from PIL import Image
from uai.arch.caffe_model import CaffeAiUcloudModel
class MnistModel(CaffeAiUcloudModel):
    def load_model(self):
        self.output["net"] = cv2.dnn.readNetFromCaffe(self.model_arch_file, self.model_weight_file)
        self.output["sizes"] = []
    def execute(self, data, batch_size):
        if data[0].body == b"largest batch":
            return [str(max(self.output["sizes"]))] * batch_size
        self.output["sizes"].append(batch_size)
        images = np.stack([np.asarray(Image.open(item).convert("L"), dtype=np.float32) for item in data])[:, None]
        net = self.output["net"]
        net.setInput(images)
        return ["%d\\n" % digit for digit in net.forward().argmax(axis=1)]
`;

/** A grey 28x28 image as PGM. */
function pgm(pixels: Uint8Array): Buffer<ArrayBuffer> {
  return Buffer.concat([Buffer.from("P5 28 28 255\n"), pixels]);
}

test("an old Caffe class answers 2 for the picture of a 2, and all test images as documented, some of them together", async (t) => {
  if (!existsSync(join(DATA, "caffe"))) return t.skip(`no models in "${DATA}"; SLIPWAY_TEST_DATA names the folder`);
  const python = await pythonEnv(t, { packages: ["opencv-python-headless<5", "numpy", "pillow"] });
  if (python === undefined) return;
  const folder = await mkdtemp(join(tmpdir(), "slipway-mnist-"));
  t.after(() => rm(folder, { recursive: true }));
  const model = { mainModule: "mnist_inference", mainClass: "MnistModel", modelDir: join(DATA, "caffe"), modelName: "mnist_model", isOneFile: false, archType: "", epoch: 0 };
  await writeFile(join(folder, "mnist_inference.py"), SOURCE);
  await writeFile(join(folder, "ufile.json"), printConf("caffe", model));
  const description: ModelDescription = {
    schemaVersion: 1, name: "mnist", kind: "class", contract: "uai", service: "MODEL", codePath: folder, code: { file: "mnist_inference.py", name: "MnistModel", language: "python" },
    ports: { http: 0 }, server: { maxBatch: 32 }, python: { executable: python.python, path: [] },
  };
  const server = await serveModel(description, { host: "127.0.0.1", log: createLogger({ level: "fatal", write: () => undefined }) });
  t.after(() => server.stop({ graceMs: 1000 }));
  const post = async (body: Buffer<ArrayBuffer> | string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${server.ports.http}/service`, { method: "POST", body });
    assert.equal(answer.status, 200);
    return answer.text();
  };
  assert.equal(await post(Buffer.from(readFileSync(join(DATA, "2.jpg")))), "2\n");
  const images = gunzipSync(readFileSync(join(DATA, "testset/t10k-images-idx3-ubyte.gz"))).subarray(16);
  const labels = gunzipSync(readFileSync(join(DATA, "testset/t10k-labels-idx1-ubyte.gz"))).subarray(8);
  let [next, correct] = [0, 0];
  const client = async (): Promise<void> => {
    for (let index = next++; index < labels.length; index = next++) {
      const digit = await post(pgm(images.subarray(784 * index, 784 * (index + 1))));
      if (Number(digit) === labels[index]) correct += 1;
    }
  };
  await Promise.all(Array.from({ length: 32 }, client));
  assert.deepEqual([labels.length, correct], [10_000, 9876]);
  assert.ok(Number(await post("largest batch")) > 1);
});
