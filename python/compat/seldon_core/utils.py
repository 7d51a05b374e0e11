"""Conversions between JSON messages, protobuf messages and arrays that user code imports.

Those that make or read protobuf need the protobuf package.
"""

from __future__ import annotations

import base64
import json
import os
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from .env_utils import (  # noqa: F401  (user code takes them from here)
    ENV_MODEL_IMAGE,
    ENV_MODEL_NAME,
    NONIMPLEMENTED_IMAGE_MSG,
    NONIMPLEMENTED_MSG,
    get_image_name,
    get_model_name,
)

ANNOTATIONS_FILE = "/etc/podinfo/annotations"
TRUE_VALUES = ("true", "1", "t")


def getenv(*names: str, default: Any = None) -> Any:
    """The first of these variables that is set."""
    for name in names:
        if name in os.environ:
            return os.environ[name]
    return default


def getenv_as_bool(*names: str, default: bool = False) -> bool:
    value = getenv(*names)
    return default if value is None else str(value).lower() in TRUE_VALUES


def json_to_array(data: Dict[str, Any]) -> Any:
    """The array in the `data` part of a JSON message."""
    if "tensor" in data:
        return np.array(data["tensor"]["values"]).reshape(data["tensor"]["shape"])
    return np.array(data.get("ndarray", []))


def array_to_rest_datadef(data_type: str, array: Any, names: Optional[List[str]] = None) -> Dict[str, Any]:
    """The `data` part of a JSON message: `tensor`, else `ndarray`."""
    data: Dict[str, Any] = {"names": list(names or [])}
    if data_type == "tensor":
        data["tensor"] = {"shape": list(array.shape), "values": array.ravel().tolist()}
    else:
        data["ndarray"] = array.tolist()
    return data


def extract_request_parts_json(request: Dict[str, Any]) -> Tuple[Any, Optional[Dict[str, Any]], Any, Optional[str]]:
    """Payload, meta, `data` part and kind of payload of a JSON message."""
    from .flask_utils import SeldonMicroserviceException

    if not isinstance(request, dict):
        raise SeldonMicroserviceException("Invalid request data type: %s" % (request,))
    meta = request.get("meta")
    if "data" in request:
        return json_to_array(request["data"]), meta, request["data"], "data"
    if "jsonData" in request:
        return request["jsonData"], meta, None, "jsonData"
    if "strData" in request:
        return request["strData"], meta, None, "strData"
    if "binData" in request:
        return base64.b64decode(request["binData"]), meta, None, "binData"
    raise SeldonMicroserviceException("Invalid request data type: %s" % (request,))


def json_to_seldon_message(message: Optional[Dict[str, Any]]) -> Any:
    return _parse(message or {}, "SeldonMessage")


def json_to_feedback(message: Dict[str, Any]) -> Any:
    return _parse(message, "Feedback")


def json_to_seldon_messages(message: Dict[str, Any]) -> Any:
    return _parse(message, "SeldonMessageList")


def seldon_message_to_json(message: Any) -> Any:
    from google.protobuf import json_format

    return json.loads(json_format.MessageToJson(message))


seldon_messages_to_json = seldon_message_to_json
feedback_to_json = seldon_message_to_json


def get_data_from_proto(message: Any) -> Any:
    """The payload of a protobuf message as an array, text, bytes or parsed JSON."""
    kind = message.WhichOneof("data_oneof")
    if kind == "data":
        return grpc_datadef_to_array(message.data)
    if kind == "jsonData":
        return seldon_message_to_json(message.jsonData)
    return getattr(message, kind) if kind else np.array([])


def get_meta_from_proto(message: Any) -> Dict[str, Any]:
    return dict(seldon_message_to_json(message.meta))


def grpc_datadef_to_array(datadef: Any) -> Any:
    """The array in a DefaultData message."""
    kind = datadef.WhichOneof("data_oneof")
    if kind == "tensor":
        return np.array(datadef.tensor.values, dtype=float).reshape(tuple(datadef.tensor.shape))
    if kind == "ndarray":
        return np.array(seldon_message_to_json(datadef.ndarray))
    return np.array([])


def array_to_grpc_datadef(data_type: str, array: Any, names: Optional[List[str]] = None) -> Any:
    """A DefaultData message: `tensor`, else `ndarray`."""
    from .proto import prediction_pb2

    datadef = prediction_pb2.DefaultData(names=list(names or []))
    if data_type == "tensor":
        datadef.tensor.shape.extend(array.shape)
        datadef.tensor.values.extend(array.ravel().tolist())
    else:
        datadef.ndarray.extend(array.tolist())
    return datadef


def _parse(message: Any, name: str) -> Any:
    from google.protobuf import json_format

    from .flask_utils import SeldonMicroserviceException
    from .proto import prediction_pb2

    target = getattr(prediction_pb2, name)()
    try:
        return json_format.ParseDict(message, target)
    except json_format.ParseError as error:
        raise SeldonMicroserviceException("Invalid JSON: %s" % (error,)) from error
