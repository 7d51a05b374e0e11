"""Codecs between tensors and Python objects, found by content type, type of payload or type hint."""

from .base import (
    DecodedParameterName,
    InputCodec,
    RequestCodec,
    decode_inference_request,
    decode_request_input,
    get_decoded,
    get_decoded_or_raw,
    has_decoded,
    register_input_codec,
    register_request_codec,
)
from .base64 import Base64Codec
from .decorator import decode_args
from .errors import CodecError, CodecNotFound
from .numpy import NumpyCodec, NumpyRequestCodec
from .pandas import PandasCodec
from .string import StringCodec, StringRequestCodec

__all__ = [
    "Base64Codec",
    "CodecError",
    "CodecNotFound",
    "DecodedParameterName",
    "InputCodec",
    "NumpyCodec",
    "NumpyRequestCodec",
    "PandasCodec",
    "RequestCodec",
    "StringCodec",
    "StringRequestCodec",
    "decode_args",
    "decode_inference_request",
    "decode_request_input",
    "get_decoded",
    "get_decoded_or_raw",
    "has_decoded",
    "register_input_codec",
    "register_request_codec",
]
