"""The base class of custom runtimes."""

from .codecs.base import decode_inference_request, decode_request_input, find_input_codec, find_request_codec, get_decoded, has_decoded
from .codecs.errors import CodecNotFound
from .types import MetadataModelResponse


class MLModel:
    def __init__(self, settings):
        self._settings = settings
        self.ready = False

    async def load(self):
        return True

    async def predict(self, payload):
        raise NotImplementedError("predict() method not implemented")

    async def predict_stream(self, payloads):
        async for payload in payloads:
            yield await self.predict(payload)

    async def unload(self):
        return True

    @property
    def name(self):
        return self._settings.name

    @property
    def version(self):
        return self._settings.version

    @property
    def settings(self):
        return self._settings

    @property
    def inputs(self):
        return self._settings.inputs

    @inputs.setter
    def inputs(self, value):
        self._settings.inputs = value

    @property
    def outputs(self):
        return self._settings.outputs

    @outputs.setter
    def outputs(self, value):
        self._settings.outputs = value

    def decode(self, request_input, default_codec=None):
        """By the content type of the input, else that of the model's metadata, else the default codec; else the data as they are."""
        decode_request_input(request_input, _by_name(self.inputs))
        if has_decoded(request_input):
            return get_decoded(request_input)
        return request_input.data if default_codec is None else default_codec.decode_input(request_input)

    def decode_request(self, inference_request, default_codec=None):
        decode_inference_request(inference_request, self._settings, _by_name(self.inputs))
        if has_decoded(inference_request):
            return get_decoded(inference_request)
        return inference_request if default_codec is None else default_codec.decode_request(inference_request)

    def encode_response(self, payload, default_codec=None):
        codec = find_request_codec(payload=payload) or default_codec
        if codec is None:
            raise CodecNotFound(payload_type=str(type(payload)), is_request=True)
        return codec.encode_response(self.name, payload, self.version)

    def encode(self, payload, request_output, default_codec=None):
        about = _by_name(self.outputs).get(request_output.name)
        types = [one.parameters.content_type for one in (request_output, about) if one is not None and one.parameters is not None]
        content_type = next((one for one in types if one), None)
        codec = (find_input_codec(content_type) if content_type else find_input_codec(payload=payload)) or default_codec
        if codec is None:
            raise CodecNotFound(name=request_output.name)
        return codec.encode_output(request_output.name, payload)

    async def metadata(self):
        about = self._settings
        return MetadataModelResponse(name=self.name, platform=about.platform, versions=about.versions, inputs=self.inputs, outputs=self.outputs)


def _by_name(tensors):
    return {tensor.name: tensor for tensor in tensors or []}
