"""BYTES as lists of text."""

from typing import List

from ..types import Parameters, ResponseOutput
from .base import InputCodec, SingleInputRequestCodec, register_input_codec, register_request_codec


def encode_str(elem):
    return elem.encode("utf-8")


def decode_str(encoded, str_codec="utf-8"):
    return encoded.decode(str_codec) if isinstance(encoded, bytes) else encoded


def is_list_of(payload, kind):
    return isinstance(payload, list) and all(isinstance(item, kind) for item in payload)


@register_input_codec
class StringCodec(InputCodec):
    ContentType = "str"
    TypeHint = List[str]

    @classmethod
    def can_encode(cls, payload):
        return is_list_of(payload, str)

    @classmethod
    def encode_output(cls, name, payload, use_bytes=True, **kwargs):
        data = [encode_str(item) if use_bytes else item for item in payload]
        return ResponseOutput(name=name, datatype="BYTES", shape=[len(payload), 1], data=data, parameters=Parameters(content_type=cls.ContentType))

    @classmethod
    def decode_input(cls, request_input):
        root = request_input.data.root
        return [decode_str(item) for item in (root if isinstance(root, list) else [root])]


@register_request_codec
class StringRequestCodec(SingleInputRequestCodec):
    InputCodec = StringCodec
    ContentType = StringCodec.ContentType
    TypeHint = List[str]
