"""Seldon's protobuf messages, where the user has protobuf installed; nothing here is imported otherwise.

The classes come from the real `seldon_core` when that is installed, else they are built from a descriptor at run time, which
works with every protobuf release.
"""

from __future__ import annotations

import json
from typing import Any, Optional

from ..calls import AGGREGATE, SEND_FEEDBACK


def module() -> Optional[Any]:
    """`seldon_core.proto.prediction_pb2` (the real one, or our compatible one), or None without protobuf."""
    try:
        from seldon_core.proto import prediction_pb2  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return None
    return prediction_pb2


def parse(method: int, data: bytes) -> Any:
    """The protobuf message of a call; without protobuf this cannot be done."""
    found = module()
    if found is None:
        raise RuntimeError("a *_raw or *_grpc method over gRPC needs protobuf: add protobuf to the requirements")
    name = {AGGREGATE: "SeldonMessageList", SEND_FEEDBACK: "Feedback"}.get(method, "SeldonMessage")
    return getattr(found, name).FromString(data)


def feedback_from(whole: Any) -> Any:
    """A Feedback message of its JSON form; the JSON form itself without protobuf."""
    found = module()
    if found is None or not isinstance(whole, dict):
        return whole
    from google.protobuf import json_format  # type: ignore[import-untyped,unused-ignore]

    return json_format.ParseDict(whole, found.Feedback())


def is_message(value: Any) -> bool:
    return hasattr(value, "DESCRIPTOR") and hasattr(value, "SerializeToString")


def as_dict(message: Any) -> Any:
    from google.protobuf import json_format

    return json.loads(json_format.MessageToJson(message))


class PlainAny:
    """google.protobuf.Any for users without protobuf: the same two fields."""

    def __init__(self, type_url: str = "", value: bytes = b"") -> None:
        self.type_url = type_url
        self.value = value


def parse_any(data: bytes) -> Any:
    try:
        from google.protobuf import any_pb2
    except ImportError:
        return PlainAny(*_read_any(data))
    return any_pb2.Any.FromString(data)


def is_any(value: Any) -> bool:
    return isinstance(value, PlainAny) or (is_message(value) and value.DESCRIPTOR.full_name == "google.protobuf.Any")


def any_bytes(value: Any) -> bytes:
    if not isinstance(value, PlainAny):
        return value.SerializeToString()  # type: ignore[no-any-return]
    url = value.type_url.encode("utf-8")
    return b"\x0a" + _varint(len(url)) + url + b"\x12" + _varint(len(value.value)) + value.value


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_any(data: bytes) -> Any:
    fields = {1: b"", 2: b""}
    at = 0
    while at < len(data):
        tag = data[at]
        size, at = _read_varint(data, at + 1)
        if tag & 7 != 2 or at + size > len(data):
            raise ValueError("customData is not a google.protobuf.Any")
        fields[tag >> 3] = bytes(data[at : at + size])
        at += size
    return fields[1].decode("utf-8"), fields[2]


def _read_varint(data: bytes, at: int) -> Any:
    number = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
    raise ValueError("customData is not a google.protobuf.Any")
