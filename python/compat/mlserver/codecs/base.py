"""What a codec is, the table of codecs by content type, and decoding by content type."""

from ..types import InferenceRequest, InferenceResponse, Parameters, RequestInput
from .errors import CodecError

DecodedParameterName = "_decoded_payload"

_input_codecs = {}
_request_codecs = {}


class InputCodec:
    """Between one tensor and a Python object. A codec of the user's own overrides what it can do."""

    ContentType = ""
    TypeHint = type(None)

    @classmethod
    def can_encode(cls, payload):
        return False

    @classmethod
    def encode_output(cls, name, payload, **kwargs):
        raise NotImplementedError

    @classmethod
    def decode_output(cls, response_output):
        return cls.decode_input(response_output)

    @classmethod
    def encode_input(cls, name, payload, **kwargs):
        made = cls.encode_output(name, payload, **kwargs)
        return RequestInput(name=made.name, datatype=made.datatype, shape=made.shape, data=made.data, parameters=made.parameters)

    @classmethod
    def decode_input(cls, request_input):
        raise NotImplementedError

    @classmethod
    def encode(cls, name, payload):
        return cls.encode_output(name, payload)

    @classmethod
    def decode(cls, request_input):
        return cls.decode_input(request_input)


class RequestCodec:
    """Between a whole request and a Python object."""

    ContentType = ""
    TypeHint = type(None)

    @classmethod
    def can_encode(cls, payload):
        return False

    @classmethod
    def encode_response(cls, model_name, payload, model_version=None, **kwargs):
        raise NotImplementedError

    @classmethod
    def decode_response(cls, response):
        raise NotImplementedError

    @classmethod
    def encode_request(cls, payload, **kwargs):
        raise NotImplementedError

    @classmethod
    def decode_request(cls, request):
        raise NotImplementedError

    @classmethod
    def encode(cls, model_name, payload, model_version=None):
        return cls.encode_response(model_name, payload, model_version)

    @classmethod
    def decode(cls, request):
        return cls.decode_request(request)


class SingleInputRequestCodec(RequestCodec):
    """The only tensor of a request, by the codec for one tensor."""

    InputCodec = InputCodec

    @classmethod
    def can_encode(cls, payload):
        return cls.InputCodec.can_encode(payload)

    @classmethod
    def encode_response(cls, model_name, payload, model_version=None, **kwargs):
        output = cls.InputCodec.encode_output("output-1", payload, **kwargs)
        return InferenceResponse(model_name=model_name, model_version=model_version, parameters=Parameters(content_type=cls.ContentType), outputs=[output])

    @classmethod
    def decode_response(cls, response):
        return cls.InputCodec.decode_output(cls._only(response.outputs, "output"))

    @classmethod
    def encode_request(cls, payload, **kwargs):
        only = cls.InputCodec.encode_input("input-1", payload, **kwargs)
        return InferenceRequest(inputs=[only], parameters=Parameters(content_type=cls.ContentType))

    @classmethod
    def decode_request(cls, request):
        only = cls._only(request.inputs, "input")
        return get_decoded(only) if has_decoded(only) else cls.InputCodec.decode_input(only)

    @classmethod
    def _only(cls, tensors, what):
        if len(tensors) != 1:
            raise CodecError("The '%s' codec only supports a single %s tensor (%d were received)" % (cls.ContentType, what, len(tensors)))
        return tensors[0]


def register_input_codec(codec):
    _input_codecs[codec.ContentType] = codec
    return codec


def register_request_codec(codec):
    _request_codecs[codec.ContentType] = codec
    return codec


def find_input_codec(content_type=None, payload=None, type_hint=None):
    return _find(_input_codecs, content_type, payload, type_hint)


def find_request_codec(content_type=None, payload=None, type_hint=None):
    return _find(_request_codecs, content_type, payload, type_hint)


def _find(codecs, content_type, payload, type_hint):
    if content_type:
        return codecs.get(content_type)
    if payload is not None:
        return next((codec for codec in codecs.values() if codec.can_encode(payload)), None)
    return next((codec for codec in codecs.values() if codec.TypeHint == type_hint), None)


def has_decoded(parametrised):
    return parametrised.parameters is not None and hasattr(parametrised.parameters, DecodedParameterName)


def get_decoded(parametrised):
    return getattr(parametrised.parameters, DecodedParameterName) if has_decoded(parametrised) else None


def get_decoded_or_raw(parametrised):
    return get_decoded(parametrised) if has_decoded(parametrised) else getattr(parametrised, "data", parametrised)


def decode_request_input(request_input, metadata_inputs=None):
    codec = find_input_codec(_content_type(request_input, (metadata_inputs or {}).get(request_input.name)) or "none")
    return None if codec is None else _keep(request_input, codec.decode_input(request_input))


def decode_inference_request(inference_request, model_settings=None, metadata_inputs=None):
    for request_input in inference_request.inputs:
        decode_request_input(request_input, metadata_inputs)
    codec = find_request_codec(_content_type(inference_request, model_settings) or "none")
    return inference_request if codec is None else _keep(inference_request, codec.decode_request(inference_request))


def _content_type(*tagged):
    found = [one.parameters.content_type for one in tagged if one is not None and one.parameters is not None]
    return next((one for one in found if one), None)


def _keep(parametrised, payload):
    if parametrised.parameters is None:
        parametrised.parameters = Parameters()
    setattr(parametrised.parameters, DecodedParameterName, payload)
    return payload
