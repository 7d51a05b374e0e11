"""`@decode_args`: inputs become arguments by name, and what is returned becomes outputs, both by type hints."""

import functools
import typing

from ..types import InferenceRequest, InferenceResponse
from .base import InputCodec, find_input_codec, find_request_codec
from .errors import CodecError, CodecNotFound


def decode_args(predict):
    hints = {name: _without_none(hint) for name, hint in typing.get_type_hints(predict).items()}
    returned = hints.pop("return", None)
    many = getattr(returned, "__origin__", None) is tuple
    results = [_codec_of(hint, False) for hint in (returned.__args__ if many else [returned])]
    codecs = {name: _codec_of(hint, True, name) for name, hint in hints.items()}

    @functools.wraps(predict)
    async def decoded(self, payload):
        given = await predict(self, **_arguments(payload, codecs))
        values = given if isinstance(given, tuple) else (given,)
        if len(values) != len(results):
            raise CodecError("predict gave %d values, and its type hints say %d" % (len(values), len(results)))
        outputs = []
        for index, (codec, value) in enumerate(zip(results, values)):
            if issubclass(codec, InputCodec):
                outputs.append(codec.encode_output("output-%d" % index, value))
            else:
                outputs.extend(codec.encode_response(self.name, value).outputs)
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=outputs)

    return decoded


def _arguments(payload, codecs):
    arguments, others = {}, []
    for one in payload.inputs:
        codec = codecs.get(one.name)
        if codec is not None and issubclass(codec, InputCodec):
            arguments[one.name] = codec.decode_input(one)
        else:
            others.append(one)
    whole = next((name for name, codec in codecs.items() if not issubclass(codec, InputCodec)), None)
    if others and whole is None:
        raise CodecError("Input %s was not found. Available inputs are %s." % (", ".join(repr(one.name) for one in others), ", ".join(map(repr, codecs))))
    if others:
        arguments[whole] = codecs[whole].decode_request(InferenceRequest(inputs=others))
    return arguments


def _without_none(hint):
    options = [one for one in getattr(hint, "__args__", ()) if one is not type(None)]
    return options[0] if getattr(hint, "__origin__", None) is typing.Union and len(options) == 1 else hint


def _codec_of(hint, is_input, name=None):
    codec = find_input_codec(type_hint=hint) or find_request_codec(type_hint=hint)
    if codec is None:
        raise CodecNotFound(name=name, payload_type=str(hint), is_input=is_input)
    return codec
