import assert from "node:assert/strict";
import { copyFile, readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { test, type TestContext } from "node:test";
import { createSession, predict } from "../../src/app/index.ts";
import { createImageDecoder } from "../../src/models/inputs/index.ts";
import { writeAnswer } from "../../src/serving/protocols/model-server/write-answer.ts";
import { packPlace } from "../support/pack-place.ts";

const PICTURE = resolve(import.meta.dirname, "../fixtures/images/turned-6.jpg");
const FACTS = {
  ...{ platform: "tensorflow_graphdef", takesTensors: true, takesRawBody: false, streams: false },
  ...{ joinsRows: false, wantsHeaders: false },
  labels: { detection_classes: ["", "dog"] },
};

function floats(name: string, shape: readonly number[], values: readonly number[]) {
  const data = new Uint8Array(Float32Array.from(values).buffer);
  return { name, datatype: "FP32" as const, shape, data };
}

/** What a server of ours answers when the model finds one object, or none. */
function answerWith(score: number): Buffer {
  return writeAnswer({
    ...{
      model: { name: "pets", version: "1" },
      facts: FACTS,
      postprocess: {},
      wantsClasses: false,
    },
    outputs: [
      floats("detection_boxes", [1, 1, 4], [0.5, 0.25, 1, 0.75]),
      floats("detection_scores", [1, 1], [score]),
      floats("detection_classes", [1, 1], [1]),
    ],
    pictures: [{ width: 14, height: 23 }],
  });
}

/** A server that takes pictures for models named after what they answer. */
async function startStandIn(t: TestContext): Promise<string> {
  const answers: Readonly<Record<string, string | Buffer>> = {
    pets: answerWith(0.9),
    nothing: answerWith(0.1),
    classes: '{"model":"classes","version":"1","predictions":[],"outputs":{}}',
    damaged: '{"detections":[[{"class":1,"score":0.9,"box":[0,"1",2]}]]}',
  };
  const models = Object.keys(answers).map((name) => ({
    ...{ name, version: "1", takesTensors: true, takesRawBody: false, inputs: [], outputs: [] },
  }));
  const server = createServer((request, response) => {
    const [, first = "", name = ""] = (request.url ?? "").split("/");
    const body =
      first === "ui"
        ? JSON.stringify({ models })
        : first === "info"
          ? JSON.stringify({ inputs: [{ name: "image", image: {} }] })
          : answers[name];
    request.resume().once("end", () => response.end(body));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

test("--draw writes the picture, upright, with a box around what was found; without detections it writes nothing", async (t) => {
  const target = await startStandIn(t);
  const user = await packPlace(t, { isBare: true });
  await copyFile(PICTURE, join(user.root, "dog.jpg"));
  const drawn = join(user.root, "drawn/out.png");
  const session = createSession({ environment: user.env, cwd: user.root });
  const draw = (model: string, input = "dog.jpg") =>
    Array.fromAsync(
      predict(
        { target, input, model, draw: "drawn/out.png" },
        { session, stdin: Readable.from([]) },
      ),
    );

  const message = /draw ".*out\.png": the answer has no detections/;
  await assert.rejects(draw("classes"), { code: "UNSUPPORTED", message });
  await assert.rejects(draw("damaged"), { code: "UNSUPPORTED", message });
  await assert.rejects(draw("pets", "-"), { code: "USAGE", message: /"-": it is no picture/ });
  await assert.rejects(stat(drawn), { code: "ENOENT" });

  const before = await createImageDecoder().decode(await readFile(PICTURE));
  await draw("nothing");
  const untouched = await createImageDecoder().decode(await readFile(drawn));
  assert.deepEqual(untouched, before, "nothing was found");

  const found = await user.run([
    "predict",
    target,
    "dog.jpg",
    "--model",
    "pets",
    "--draw",
    "drawn/out.png",
  ]);
  assert.equal(found.exitCode, 0, found.stderr);
  assert.match(found.stdout, /"label":"dog"/);
  const after = await createImageDecoder().decode(await readFile(drawn));
  assert.deepEqual([after.width, after.height], [before.width, before.height]);
  const at = (x: number, y: number): readonly number[] => [
    ...after.data.subarray(4 * (y * after.width + x), 4 * (y * after.width + x) + 3),
  ];
  const [left, bottom] = [Math.round(after.width / 4), after.height - 1];
  assert.deepEqual(at(left, bottom), [86, 180, 233], "the corner of the box");
  assert.deepEqual(
    [...after.data.subarray(0, 4)],
    [...before.data.subarray(0, 4)],
    "what lies outside stays",
  );
});
