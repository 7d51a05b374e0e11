import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { gunzipSync } from "node:zlib";

const DATA = resolve(
  process.env["SLIPWAY_TEST_DATA"] ?? join(import.meta.dirname, "../../../shared/data"),
  "mnist",
);
const CLIENTS = 32;

/** A published model of handwritten digits, and a class for it written as for the old service. */
export interface MnistModel {
  readonly framework: "caffe" | "keras" | "tf";
  /** Its folder below the data. */
  readonly folder: string;
  /** Of the 10,000 test images. */
  readonly correct: number;
  /** What the class needs beside the server. */
  readonly packages: readonly string[];
  readonly source: string;
}

const IMPORTS = "import numpy as np\nfrom PIL import Image\n";
/** Remembers the sizes of its calls, and says the largest when asked. */
const executeGiving = (answer: string): string => `
    def execute(self, data, batch_size):
        sizes = self.output.setdefault("sizes", [])
        if data[0].body == b"largest batch":
            return [str(max(sizes))] * batch_size
        sizes.append(batch_size)
        images = []
        for i in range(batch_size):
            images.append(np.array(Image.open(data[i]).resize((28, 28)).convert("L")).astype(np.float32))
        ret = []
        for val in self.scores(np.array(images)):
            ret.append(${answer})
        return ret
`;

/** OpenCV reads what Caffe wrote. */
export const CAFFE: MnistModel = {
  framework: "caffe",
  folder: "caffe",
  correct: 9876,
  packages: ["opencv-python-headless<5", "numpy", "pillow"],
  source: `${IMPORTS}import cv2
from uai.arch.caffe_model import CaffeAiUcloudModel

class MnistModel(CaffeAiUcloudModel):
    def load_model(self):
        self.output["net"] = cv2.dnn.readNetFromCaffe(self.model_arch_file, self.model_weight_file)
    def scores(self, images):
        self.output["net"].setInput(images[:, None])
        return self.output["net"].forward()
${executeGiving(String.raw`"%d\n" % np.argmax(val)`)}`,
};

/** The files are of Keras 1.2.2. */
export const KERAS: MnistModel = {
  framework: "keras",
  folder: "keras-h5-json",
  correct: 9822,
  packages: ["keras==3.15.1", "tensorflow-cpu==2.21.0", "pillow"],
  source: `${IMPORTS}from keras.models import model_from_json
from uai.arch.keras_model import KerasAiUcloudModel

class MnistModel(KerasAiUcloudModel):
    def load_model(self):
        with open(self.model_arch_file, "r") as arch:
            self.model = model_from_json(arch.read())
        self.model.load_weights(self.model_weight_file)
    def scores(self, images):
        return self.model.predict(images.reshape(-1, 784) / 255.0)
${executeGiving(String.raw`str(np.argmax(val).item()) + "\n"`)}`,
};

const tensorflowClass = (load: string): MnistModel => ({
  framework: "tf",
  folder: "tf-checkpoint-v2",
  correct: 9188,
  packages: KERAS.packages,
  source: `${IMPORTS}import tensorflow as tf
from uai.arch.tf_model import TFAiUcloudModel

class MnistModel(TFAiUcloudModel):
    def __init__(self, conf):
        super(MnistModel, self).__init__(conf)
    def load_model(self):
        sess = tf.Session()
${load}
        saver.restore(sess, tf.train.latest_checkpoint(self.model_dir))
        self.output["sess"], self.output["x"], self.output["y_"] = sess, x, y_
    def scores(self, images):
        return self.output["sess"].run(self.output["y_"], feed_dict={self.output["x"]: images.reshape(-1, 784) * (1.0 / 255.0)})
${executeGiving(String.raw`np.array_str(np.argmax(val)) + "\n"`)}`,
});

/** TensorFlow 1: a graph of placeholders and variables, a session, a checkpoint of TensorFlow 1.1. */
export const TENSORFLOW: MnistModel =
  tensorflowClass(`        x = tf.placeholder(tf.float32, [None, 784])
        W = tf.Variable(tf.zeros([784, 10]))
        b = tf.Variable(tf.zeros([10]))
        y_ = tf.nn.softmax(tf.matmul(x, W) + b)
        saver = tf.train.Saver()`);

/** The same with the graph that lies beside the checkpoint. */
export const TENSORFLOW_GRAPH: MnistModel =
  tensorflowClass(`        saver = tf.train.import_meta_graph(self.model_dir + "/mnist.mod.meta")
        graph = tf.get_default_graph()
        x, y_ = graph.get_tensor_by_name("Placeholder:0"), graph.get_tensor_by_name("add:0")`);

/** Folder of a model's files, or of one of the data's own. Skips the test and gives `undefined` where the data are not there. */
export function mnistData(t: TestContext, name: string): string | undefined {
  const path = join(DATA, name);
  if (existsSync(path)) return path;
  t.skip(`no models in "${DATA}"; SLIPWAY_TEST_DATA names the folder`);
  return undefined;
}

/**
 * Holds a service against everything that is known of its model: the picture of a 2, and how many of the 10,000 test images are right when
 * 32 clients ask at once; requests must have gone together.
 */
export async function assertMnist(url: string, { correct: expected }: MnistModel): Promise<void> {
  const post = async (body: Buffer<ArrayBuffer> | string): Promise<string> => {
    const answer = await fetch(url, { method: "POST", body });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return text;
  };
  assert.equal(await post(Buffer.from(readFileSync(join(DATA, "2.jpg")))), "2\n");
  const images = gunzipSync(readFileSync(join(DATA, "testset/t10k-images-idx3-ubyte.gz"))).subarray(
    16,
  );
  const labels = gunzipSync(readFileSync(join(DATA, "testset/t10k-labels-idx1-ubyte.gz"))).subarray(
    8,
  );
  let [next, correct] = [0, 0];
  const client = async (): Promise<void> => {
    for (let index = next++; index < labels.length; index = next++) {
      if (
        (await post(pgm(images.subarray(784 * index, 784 * (index + 1))))) === `${labels[index]}\n`
      )
        correct += 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  assert.deepEqual([labels.length, correct], [10_000, expected]);
  assert.ok(Number(await post("largest batch")) > 1);
}

/** A grey 28x28 image as PGM. */
function pgm(pixels: Uint8Array): Buffer<ArrayBuffer> {
  return Buffer.concat([Buffer.from("P5 28 28 255\n"), pixels]);
}
