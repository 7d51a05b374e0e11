import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { pythonEnv } from "../support/python-env.ts";
import { startV2Server } from "../support/v2-server.ts";

/** TensorFlow Serving's own stubs, without TensorFlow; grpcio's generated code of that time wants the old protobuf. */
const PACKAGES = ["tensorflow-protobuf==2.7.0", "grpcio>=1.60", "protobuf<3.21", "numpy"];

const CLIENT = `
import json, sys
import grpc, numpy
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2, prediction_service_pb2_grpc

channel = grpc.insecure_channel(sys.argv[1])
predictions = prediction_service_pb2_grpc.PredictionServiceStub(channel)
get_model_status = channel.unary_unary("/tensorflow.serving.ModelService/GetModelStatus",  # its stub wants files that are not packed
    request_serializer=get_model_status_pb2.GetModelStatusRequest.SerializeToString,
    response_deserializer=get_model_status_pb2.GetModelStatusResponse.FromString)
TYPES = {"float32": types_pb2.DT_FLOAT, "int32": types_pb2.DT_INT32, "float16": types_pb2.DT_HALF, "float64": types_pb2.DT_DOUBLE}

def tensor(array=None, dtype=None, shape=None, **fields):
    proto = tensor_pb2.TensorProto(dtype=dtype or TYPES[str(array.dtype)], **fields)
    for size in (array.shape if shape is None else shape):
        proto.tensor_shape.dim.add().size = size
    if array is not None:
        proto.tensor_content = array.tobytes()
    return proto

def predict(model, inputs, outputs=(), **spec):
    request = predict_pb2.PredictRequest(output_filter=outputs)
    request.model_spec.name = model
    for name, value in spec.items():
        if name == "version":
            request.model_spec.version.value = value
        else:
            setattr(request.model_spec, name, value)
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(value)
    return predictions.Predict(request, timeout=60)

def numbers(proto, dtype):
    return numpy.frombuffer(proto.tensor_content, dtype).reshape([d.size for d in proto.tensor_shape.dim]).tolist()

def code(call):
    try:
        call()
    except grpc.RpcError as error:
        return [error.code().name, error.details()]

answers = {}
four = numpy.arange(4, dtype="float32").reshape(1, 4)
answer = predict("identity_fp32", {"INPUT0": tensor(four)})
answers["content"] = [numbers(answer.outputs["OUTPUT0"], "float32"), answer.model_spec.name, answer.model_spec.version.value,
                      answer.model_spec.signature_name]
answers["values"] = numbers(predict("identity_fp32", {"INPUT0": tensor(dtype=types_pb2.DT_FLOAT, shape=[1, 4], float_val=[1.5, 2, 3, 4])},
                                    version=1, signature_name="serving_default").outputs["OUTPUT0"], "float32")
answers["one for all"] = numbers(predict("identity_fp32", {"INPUT0": tensor(dtype=types_pb2.DT_FLOAT, shape=[2, 4], float_val=[7])}).outputs["OUTPUT0"], "float32")
half = numpy.array([[1.5, -2]], dtype="float16")
answers["half"] = numbers(predict("identity_fp16", {"INPUT0": tensor(half)}).outputs["OUTPUT0"], "float16")
texts = predict("identity_bytes", {"INPUT0": tensor(dtype=types_pb2.DT_STRING, shape=[2, 1], string_val=["ä".encode(), b""])}).outputs["OUTPUT0"]
answers["text"] = [[one.decode() for one in texts.string_val], [d.size for d in texts.tensor_shape.dim]]
pair = {"INPUT0": tensor(numpy.arange(16, dtype="int32").reshape(1, 16)), "INPUT1": tensor(numpy.ones((1, 16), dtype="int32"))}
answers["filter"] = sorted(predict("add_sub", pair, ["OUTPUT1"]).outputs)
answers["both"] = sorted(predict("add_sub", pair).outputs)
answers["errors"] = {
    "unknown model": code(lambda: predict("no", {})),
    "unknown version": code(lambda: predict("add_sub", pair, version=9)),
    "unknown label": code(lambda: predict("add_sub", pair, version_label="canary")),
    "unknown signature": code(lambda: predict("add_sub", pair, signature_name="x")),
    "missing input": code(lambda: predict("add_sub", {"INPUT0": pair["INPUT0"]})),
    "wrong datatype": code(lambda: predict("identity_fp32", {"INPUT0": tensor(four.astype("float64"))})),
    "torn content": code(lambda: predict("identity_fp32", {"INPUT0": tensor(dtype=types_pb2.DT_FLOAT, shape=[1, 4], tensor_content=b"123")})),
    "too large": code(lambda: predict("identity_fp32", {"INPUT0": tensor(dtype=types_pb2.DT_FLOAT, shape=[2**40, 4], float_val=[7])})),
    "classify": code(lambda: predictions.Classify(__import__("tensorflow_serving.apis.classification_pb2", fromlist=["x"]).ClassificationRequest())),
}
request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
request.model_spec.name = "add_sub"
metadata = predictions.GetModelMetadata(request)
signatures = get_model_metadata_pb2.SignatureDefMap()
metadata.metadata["signature_def"].Unpack(signatures)
info = signatures.signature_def["serving_default"].inputs["INPUT0"]
answers["metadata"] = [info.dtype, [d.size for d in info.tensor_shape.dim], sorted(signatures.signature_def["serving_default"].outputs)]
status = get_model_status_pb2.GetModelStatusRequest()
status.model_spec.name = "add_sub"
answers["status"] = [[one.version, one.state] for one in get_model_status(status).model_version_status]
print(json.dumps(answers))
`;

type Answers = Readonly<Record<string, unknown>> & {
  readonly errors: Readonly<Record<string, readonly [code: string, details: string]>>;
};

test("TensorFlow Serving's own stubs ask for predictions, metadata and status", async (t) => {
  const environment = await pythonEnv(t, { packages: PACKAGES });
  await using server = environment && (await startV2Server(t, "onnx"));
  if (environment === undefined || server === undefined) return;
  const child = spawn(environment.python, ["-c", CLIENT, `127.0.0.1:${server.ports.grpc}`], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION: "python" },
  });
  const [out, failure] = await Promise.all([text(child.stdout), text(child.stderr)]);
  assert.notEqual(out, "", failure);
  const { errors, ...answers } = JSON.parse(out) as Answers;
  assert.deepEqual(answers, {
    content: [[[0, 1, 2, 3]], "identity_fp32", 1, "serving_default"],
    values: [[1.5, 2, 3, 4]],
    "one for all": [
      [7, 7, 7, 7],
      [7, 7, 7, 7],
    ],
    half: [[1.5, -2]],
    text: [
      ["ä", ""],
      [2, 1],
    ],
    filter: ["OUTPUT1"],
    both: ["OUTPUT0", "OUTPUT1"],
    metadata: [3, [-1, 16], ["OUTPUT0", "OUTPUT1"]],
    status: [[1, 30]],
  });
  const codes = Object.fromEntries(Object.entries(errors).map(([what, [code]]) => [what, code]));
  assert.deepEqual(codes, {
    "unknown model": "NOT_FOUND",
    "unknown version": "NOT_FOUND",
    "unknown label": "NOT_FOUND",
    "unknown signature": "INVALID_ARGUMENT",
    "missing input": "INVALID_ARGUMENT",
    "wrong datatype": "INVALID_ARGUMENT",
    "torn content": "INVALID_ARGUMENT",
    "too large": "INVALID_ARGUMENT",
    classify: "UNIMPLEMENTED",
  });
  assert.match(errors["missing input"]?.[1] ?? "", /"INPUT1"/);
});
