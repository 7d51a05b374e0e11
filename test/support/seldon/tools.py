"""Programs that meet a server as they meet any other: reflection, health, and Seldon's own client. Prints JSON."""

import json
import sys

import numpy as np


def reflection(target):
    import grpc
    from google.protobuf import descriptor_pool, json_format, message_factory
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    channel = grpc.insecure_channel(target)
    database = ProtoReflectionDescriptorDatabase(channel)
    pool = descriptor_pool.DescriptorPool(database)
    services = sorted(database.get_services())
    methods = {name: sorted(method.name for method in pool.FindServiceByName(name).methods) for name in services}
    kind = message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName("seldon.protos.SeldonMessage"))
    request = json_format.ParseDict({"data": {"names": ["a"], "tensor": {"shape": [1, 1], "values": [2.5]}}, "meta": {"tags": {"k": "v"}}}, kind(), descriptor_pool=pool)
    call = channel.unary_unary("/seldon.protos.Model/Predict", request_serializer=kind.SerializeToString, response_deserializer=kind.FromString)
    return {"methods": methods, "answer": json_format.MessageToDict(call(request, timeout=20))}


def client(http, grpc):
    from seldon_core.seldon_client import SeldonClient

    found = {}
    for transport, endpoint in (("rest", http), ("grpc", grpc)):
        asked = SeldonClient(microservice_endpoint=endpoint, transport=transport, grpc_max_send_message_length=8 * 2**20, grpc_max_receive_message_length=8 * 2**20)
        data = np.array([[1.0, 2.0], [3.0, 4.0]])
        calls = {
            "predict": asked.microservice(data=data, names=["a", "b"], method="predict"),
            "ndarray": asked.microservice(data=data, payload_type="ndarray", method="predict"),
            "text": asked.microservice(str_data="words", method="predict"),
            "bytes": asked.microservice(bin_data=b"\x00\x01", method="predict"),
            "json": asked.microservice(json_data={"a": [1]}, method="predict"),
            "large": asked.microservice(data=np.ones((50_000, 2)), method="predict"),
            "transform-input": asked.microservice(data=data, method="transform-input"),
            "transform-output": asked.microservice(data=data, method="transform-output"),
            "route": asked.microservice(data=data, method="route"),
        }
        found[transport] = {name: [reply.success, size_or(reply.response), reply.msg] for name, reply in calls.items()}
    return found


def size_or(response):
    from seldon_core.utils import seldon_message_to_json

    if response is None:
        return None
    plain = response if isinstance(response, dict) else seldon_message_to_json(response)
    tensor = plain.get("data", {}).get("tensor")
    return len(tensor["values"]) if tensor and len(tensor["values"]) > 10 else plain


if __name__ == "__main__":
    print(json.dumps({"reflection": reflection, "client": client}[sys.argv[1]](*sys.argv[2:])))
