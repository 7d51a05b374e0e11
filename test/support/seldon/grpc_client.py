"""Calls a gRPC server with Seldon's own stubs: a JSON line in for each call, a JSON line out for each answer."""

import json
import sys

import grpc
from google.protobuf import empty_pb2, json_format, wrappers_pb2  # noqa: F401  (Any resolves it by name)

from seldon_core.proto import prediction_pb2, prediction_pb2_grpc

UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]


def main():
    target, ca, cert, key = (sys.argv[1:] + ["", "", ""])[:4]
    if ca:
        credentials = grpc.ssl_channel_credentials(read(ca), read(key), read(cert))
        channel = grpc.secure_channel(target, credentials, options=UNLIMITED)
    else:
        channel = grpc.insecure_channel(target, options=UNLIMITED)
    try:
        grpc.channel_ready_future(channel).result(timeout=120)
    except grpc.FutureTimeoutError:
        print(json.dumps({"ready": False}), flush=True)
        return
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(channel, json.loads(line)), sort_keys=True), flush=True)


def read(path):
    if not path:
        return None
    with open(path, "rb") as file:
        return file.read()


def message_of(call):
    if call["type"] == "Empty":
        return empty_pb2.Empty()
    message = getattr(prediction_pb2, call["type"])()
    if "hex" in call:
        message.ParseFromString(bytes.fromhex(call["hex"]))
        return message
    return json_format.ParseDict(call["request"], message)


def answer(channel, call):
    stub = getattr(prediction_pb2_grpc, call["service"] + "Stub")(channel)
    compression = {"gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}.get(call.get("compression"))
    options = {"timeout": call.get("timeout", 120), "metadata": list(call.get("metadata", {}).items()), "compression": compression}
    try:
        reply, rpc = getattr(stub, call["method"]).with_call(message_of(call), **options)
    except grpc.RpcError as error:
        trailers = {key: value for key, value in error.trailing_metadata() or () if isinstance(value, str)}
        return {"code": error.code().name, "details": error.details(), "trailers": trailers}
    headers = {key: value for key, value in rpc.initial_metadata() if isinstance(value, str)}
    return {"code": "OK", "details": rpc.details() or "", "hex": reply.SerializeToString(deterministic=True).hex(), "answer": readable(reply), "headers": headers}


def readable(message):
    try:
        return json_format.MessageToDict(message)
    except Exception as error:  # a Value that JSON does not know
        return str(error)


if __name__ == "__main__":
    main()
