import { test } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { pythonEnv } from "../support/python-env.ts";
import { startV2Server } from "../support/v2-server.ts";

/** What a user of Triton's clients does, over either transport. Fails by an assertion. */
const SCRIPT = `
import sys
import numpy as np
import tritonclient.grpc as over_grpc
import tritonclient.http as over_http
from tritonclient.utils import InferenceServerException

def check(module, client, half):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("add_sub")
    a = np.arange(16, dtype=np.int32).reshape(1, 16)
    b = np.ones((1, 16), np.int32)
    inputs = [module.InferInput("INPUT0", a.shape, "INT32"), module.InferInput("INPUT1", b.shape, "INT32")]
    inputs[0].set_data_from_numpy(a)
    inputs[1].set_data_from_numpy(b)
    result = client.infer("add_sub", inputs, request_id="7")
    assert (result.as_numpy("OUTPUT0") == a + b).all() and (result.as_numpy("OUTPUT1") == a - b).all()
    one = client.infer("add_sub", inputs, model_version="1", outputs=[module.InferRequestedOutput("OUTPUT1")])
    assert one.as_numpy("OUTPUT0") is None and (one.as_numpy("OUTPUT1") == a - b).all()
    text = np.array([["\\u00e4", ""], ["b", "c"]], dtype=object)
    words = module.InferInput("INPUT0", text.shape, "BYTES")
    words.set_data_from_numpy(text)
    back = client.infer("identity_bytes", [words]).as_numpy("OUTPUT0")
    assert [x.decode() for x in back.ravel()] == list(text.ravel()), back
    halves = module.InferInput("INPUT0", [1, 2], "FP16")
    halves.set_data_from_numpy(half)
    assert (client.infer("identity_fp16", [halves]).as_numpy("OUTPUT0") == half).all()
    scores = module.InferInput("INPUT0", [1, 3], "FP32")
    scores.set_data_from_numpy(np.array([[0.25, 0.5, 0.125]], np.float32))
    best = client.infer("classify", [scores], outputs=[module.InferRequestedOutput("SCORES", class_count=1)])
    assert best.as_numpy("SCORES").ravel()[0].decode() == "0.500000:1:dog", best.as_numpy("SCORES")
    try:
        client.infer("add_sub", inputs[:1])
        raise SystemExit("a request without an input was answered")
    except InferenceServerException as error:
        assert "INPUT1" in str(error), error
    client.unload_model("fail")
    assert not client.is_model_ready("fail")
    client.load_model("fail")
    assert client.is_model_ready("fail")

half = np.array([[1.5, -2]], np.float16)
http = over_http.InferenceServerClient(sys.argv[1])
check(over_http, http, half)
assert {m["name"] for m in http.get_model_repository_index()} >= {"add_sub", "fail"}
assert http.get_model_metadata("add_sub")["inputs"][0] == {"name": "INPUT0", "datatype": "INT32", "shape": [-1, 16]}
assert http.get_model_config("add_sub")["input"][0]["data_type"] == "TYPE_INT32"
counted = http.get_inference_statistics("add_sub")["model_stats"][0]["inference_count"]
grpc = over_grpc.InferenceServerClient(sys.argv[2])
check(over_grpc, grpc, half)
assert grpc.get_server_metadata().name == "slipway"
assert list(grpc.get_model_metadata("add_sub").inputs[0].shape) == [-1, 16]
assert grpc.get_model_config("add_sub").config.output[0].data_type == 8
stats = grpc.get_inference_statistics("add_sub").model_stats[0]
assert stats.inference_count == counted + 2 and stats.inference_stats.success.count == stats.inference_count, stats
answers = []
grpc.start_stream(lambda result, error: answers.append((result, error)))
x = over_grpc.InferInput("INPUT0", [1, 4], "FP32")
x.set_data_from_numpy(np.ones((1, 4), np.float32))
for name in ("identity_fp32", "nosuch", "identity_fp32"):
    grpc.async_stream_infer(name, [x])
grpc.stop_stream()
assert [error is None for _, error in answers] == [True, False, True], answers
`;

test("Triton's clients do over HTTP and gRPC what they do with Triton", async (t) => {
  const client = await pythonEnv(t, { packages: ["tritonclient[http,grpc]", "numpy"] });
  if (client === undefined) return;
  await using server = await startV2Server(t, "class");
  if (server === undefined) return;
  const { http, grpc = 0 } = server.ports;
  await run([client.python, "-c", SCRIPT, `127.0.0.1:${http}`, `127.0.0.1:${grpc}`], {
    signal: t.signal,
    timeoutMs: 60_000,
  });
});
