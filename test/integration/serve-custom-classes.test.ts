import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { serveFolder } from "../../src/app/use-cases.ts";
import { createTempDir } from "../../src/ground/process/index.ts";
import { pythonEnv } from "../support/python-env.ts";

const MLSERVER = `
import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, NumpyRequestCodec, StringCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse
from mlserver.utils import get_model_uri


class ScaleModel(MLModel):
    async def load(self) -> bool:
        with open(await get_model_uri(self._settings)) as weights:
            self.scale = np.float32(weights.read())
        self.offset = self.settings.parameters.extra["offset"]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        if payload.parameters is not None and getattr(payload.parameters, "greeting", None):
            names = self.decode(payload.inputs[0], default_codec=StringCodec)
            outputs = [StringCodec.encode_output("said", [payload.parameters.greeting + name for name in names])]
            return InferenceResponse(id=payload.id, model_name=self.name, model_version=self.version, outputs=outputs)
        if len(payload.inputs) != 1:
            raise InferenceError("one input is wanted")
        scaled = self.decode_request(payload, default_codec=NumpyRequestCodec) * self.scale + np.float32(self.offset)
        return self.encode_response(scaled, default_codec=NumpyRequestCodec)
`;

const TELLER = `
from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceResponse


class Teller(MLModel):
    async def predict(self, payload):
        words = StringCodec.decode_input(payload.inputs[0])[0].split()
        return InferenceResponse(model_name=self.name, outputs=[StringCodec.encode_output("words", words)])

    async def predict_stream(self, payloads):
        async for payload in payloads:
            for word in StringCodec.decode_input(payload.inputs[0])[0].split():
                yield InferenceResponse(model_name=self.name, outputs=[StringCodec.encode_output("word", [word])])
`;

const KSERVE = `
from typing import Dict, Union
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.errors import InvalidInput
from kserve.utils.utils import get_predict_input, get_predict_response


class Doubler(Model):
    def __init__(self, name: str):
        super().__init__(name)
        self.name = name
        self.load()

    def load(self):
        self.ready = True

    def preprocess(self, payload: Union[Dict, InferRequest], headers: Dict[str, str] = None):
        if isinstance(payload, dict) and payload["instances"] == ["wrong"]:
            raise InvalidInput("wrong is not right")
        return payload

    def predict(self, payload: Union[Dict, InferRequest], headers: Dict[str, str] = None):
        if isinstance(payload, dict) and isinstance(payload["instances"][0], dict):
            return {"predictions": [{"said": one["image"]["b64"], "to": headers["x-who"]} for one in payload["instances"]]}
        return get_predict_response(payload, get_predict_input(payload) * 2, self.name)


if __name__ == "__main__":
    ModelServer().start([Doubler("doubler")])
`;

const FILES: Readonly<Record<string, string>> = {
  "scale/runtime.py": MLSERVER,
  "scale/weights.txt": "3",
  "scale/model-settings.json": JSON.stringify({
    name: "scale",
    implementation: "runtime.ScaleModel",
    parameters: { uri: "./weights.txt", version: "1", extra: { offset: 1 } },
  }),
  "teller/model.py": TELLER,
  "teller/model-settings.json": JSON.stringify({
    name: "teller",
    implementation: "model.Teller",
  }),
  "doubler/model.py": KSERVE,
  "doubler/model-settings.json": JSON.stringify({
    name: "doubler",
    implementation: "model.Doubler",
  }),
};

test("classes of MLServer and KServe are served as they are, over V2, and KServe's over V1", async (t) => {
  const python = await pythonEnv(t, { packages: ["numpy"] });
  if (python === undefined) return;
  await using folder = await createTempDir("custom-classes");
  for (const [path, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(folder.path, path)), { recursive: true });
    await writeFile(join(folder.path, path), text);
  }
  const ended = new AbortController();
  const ready = Promise.withResolvers<string>();
  const running = serveFolder(
    { folder: folder.path, ports: { http: 0, grpc: 0 }, apiType: "rest" },
    {
      cwd: folder.path,
      environment: { PATH: process.env["PATH"], SLIPWAY_PYTHON: python.python },
      signal: ended.signal,
      emit: (event) => {
        if (event.kind === "ready") ready.resolve(event.url ?? "");
      },
    },
  );
  running.catch((error: unknown) => ready.reject(error));
  t.after(async () => {
    ended.abort();
    await running;
  });
  const url = await ready.promise;
  const post = async (path: string, body: unknown): Promise<{ status: number; body: unknown }> => {
    const answer = await fetch(url + path, {
      method: "POST",
      headers: { "x-who": "me" },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json() };
  };
  const numbers = { name: "x", datatype: "FP32", shape: [2, 2], data: [1, 2, 3, 4] };

  await t.test("MLServer: codecs, settings and parameters", async () => {
    const scaled = await post("/v2/models/scale/infer", { id: "a", inputs: [numbers] });
    assert.deepEqual(scaled, {
      status: 200,
      body: {
        ...{ model_name: "scale", model_version: "1", id: "a" },
        parameters: { content_type: "np" },
        outputs: [{ name: "output-1", datatype: "FP32", shape: [2, 2], data: [4, 7, 10, 13] }],
      },
    });
    const said = await post("/v2/models/scale/infer", {
      parameters: { greeting: "hello " },
      inputs: [{ name: "who", datatype: "BYTES", shape: [2], data: ["é", "b"] }],
    });
    assert.deepEqual((said.body as { outputs: unknown }).outputs, [
      { name: "said", datatype: "BYTES", shape: [2, 1], data: ["hello é", "hello b"] },
    ]);
    const refused = await post("/v2/models/scale/infer", {
      inputs: [numbers, { ...numbers, name: "y" }],
    });
    assert.equal(refused.status, 400);
    assert.match(JSON.stringify(refused.body), /one input is wanted/);
  });

  await t.test("MLServer: predict gives one answer, predict_stream each of several", async () => {
    const asked = { text_input: "a few words" };
    const { body } = await post("/v2/models/teller/infer", {
      inputs: [{ name: "text_input", datatype: "BYTES", shape: [1], data: [asked.text_input] }],
    });
    assert.deepEqual((body as { outputs: unknown }).outputs, [
      { name: "words", datatype: "BYTES", shape: [3, 1], data: ["a", "few", "words"] },
    ]);
    const streamed = await fetch(`${url}/v2/models/teller/generate_stream`, {
      method: "POST",
      body: JSON.stringify(asked),
    });
    const events = (await streamed.text()).trim().split("\n\n");
    const words = events.map((event) => JSON.parse(event.replace(/^data: /, "")) as object);
    assert.deepEqual(
      words.map((one) => (one as { word: unknown }).word),
      ["a", "few", "words"],
    );
  });

  await t.test("KServe: InferRequest over V2, the body itself over V1", async () => {
    const doubled = await post("/v2/models/doubler/infer", { inputs: [numbers] });
    assert.deepEqual((doubled.body as { outputs: unknown }).outputs, [
      { name: "output-0", datatype: "FP32", shape: [2, 2], data: [2, 4, 6, 8] },
    ]);
    const v1 = "/v1/models/doubler:predict";
    assert.deepEqual(await post(v1, { instances: [[1, 2.5]] }), {
      status: 200,
      body: { predictions: [[2, 5]] },
    });
    assert.deepEqual(await post(v1, { instances: [{ image: { b64: "aGk=" } }] }), {
      status: 200,
      body: { predictions: [{ said: "aGk=", to: "me" }] },
    });
    for (const body of [{ instances: ["wrong"] }, { instances: 5 }, {}, []])
      assert.equal((await post(v1, body)).status, 400);
  });
});
