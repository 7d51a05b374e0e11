"""BYTES that came as base64, as lists of bytes."""

import base64
import binascii
from typing import List

from ..types import Parameters, ResponseOutput
from .base import InputCodec, register_input_codec
from .string import is_list_of


@register_input_codec
class Base64Codec(InputCodec):
    ContentType = "base64"
    TypeHint = List[bytes]

    @classmethod
    def can_encode(cls, payload):
        return is_list_of(payload, bytes)

    @classmethod
    def encode_output(cls, name, payload, use_bytes=True, **kwargs):
        coded = [base64.b64encode(item if isinstance(item, bytes) else item.encode("ascii")) for item in payload]
        data = coded if use_bytes else [item.decode("ascii") for item in coded]
        return ResponseOutput(name=name, datatype="BYTES", shape=[len(payload), 1], data=data, parameters=Parameters(content_type=cls.ContentType))

    @classmethod
    def decode_input(cls, request_input):
        root = request_input.data.root
        return [_decoded(item) for item in (root if isinstance(root, list) else [root])]


def _decoded(item):
    """What is no base64 stays as it is."""
    data = item.encode("utf-8") if isinstance(item, str) else item
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        return data
