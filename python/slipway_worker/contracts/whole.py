"""Whole protocol messages: what a `*_raw` method is given, and how to take one apart when it declines."""

from __future__ import annotations

import base64
import json
from typing import Any, Dict, List

from .. import arrays
from ..calls import AGGREGATE, SEND_FEEDBACK, Call, Message
from ..errors import SeldonMicroserviceException
from . import protos


def raw_argument(call: Call, style: str, name: str) -> Any:
    """A dict over REST, a protobuf message over gRPC; feedback is protobuf (`raw`, `grpc`) or JSON text (`rest`) over both."""
    message = call.messages[0]
    if len(call.messages) > 1:
        return _with_file(call)
    if name == "send_feedback" and style != "rest" and not call.is_grpc:
        return protos.feedback_from(message.value)
    if name == "send_feedback" and style == "rest" and not call.is_grpc:
        return message.text
    return message.value


def _with_file(call: Call) -> Any:
    """A message whose binData came as a file of a form: the bytes stand in it as they are, as in the original."""
    return {**call.messages[0].value, "binData": call.messages[1].value}


def messages_of(call: Call) -> List[Message]:
    """The messages inside a whole one, in the order that the plain method needs them."""
    value = _with_file(call) if len(call.messages) > 1 else call.messages[0].value
    whole: Any = protos.as_dict(value) if protos.is_message(value) else value
    if call.method == SEND_FEEDBACK:
        return [_data_only(whole.get("request")), _data_only(whole.get("truth"))]
    if call.method == AGGREGATE:
        members = whole.get("seldonMessages") if isinstance(whole, dict) else whole
        if not isinstance(members, list):
            raise SeldonMicroserviceException("Invalid request data type: %s" % (whole,))
        return [message_from(member) for member in members]
    return [message_from(whole)]


def message_from(whole: Any) -> Message:
    """Takes a SeldonMessage in JSON form apart; the order of the keys is the original's."""
    if not isinstance(whole, dict):
        raise SeldonMicroserviceException("Invalid request data type: %s" % (whole,))
    meta = whole.get("meta")
    meta_text = b"" if meta is None else json.dumps(meta).encode("utf-8")
    if "data" in whole:
        return _with_data(whole["data"], meta_text)
    for key in ("jsonData", "strData", "binData"):
        if key in whole:
            value = whole[key]
            is_encoded = key == "binData" and isinstance(value, str)
            return Message(base64.b64decode(value) if is_encoded else value, [], meta_text)
    raise SeldonMicroserviceException("Invalid request data type: %s" % (whole,))


def _data_only(whole: Any) -> Message:
    data: Dict[str, Any] = (whole or {}).get("data") or {}
    return _with_data(data, b"")


def _with_data(data: Dict[str, Any], meta_text: bytes) -> Message:
    names = list(data.get("names", []))
    if "tensor" in data:
        tensor = data["tensor"]
        values = arrays.decode_array(tensor["values"])
        value = values.reshape(tensor["shape"]) if arrays.numpy is not None else arrays.nest(values, tuple(tensor["shape"]))
    elif "ndarray" in data:
        value = arrays.decode_array(data["ndarray"])
    else:
        value = arrays.empty_array()
    return Message(value, names, meta_text)
