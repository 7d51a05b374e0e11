"""Requests as data frames: a column for each tensor. pandas is imported with the first use, since few runtimes have it."""

from ..types import InferenceRequest, InferenceResponse, Parameters, RequestInput, ResponseOutput
from .base import RequestCodec, get_decoded_or_raw, register_request_codec
from .numpy import NumpyCodec, to_datatype
from .string import StringCodec, encode_str


@register_request_codec
class PandasCodec(RequestCodec):
    ContentType = "pd"

    @classmethod
    def can_encode(cls, payload):
        return type(payload).__name__ == "DataFrame" and type(payload).__module__.split(".")[0] == "pandas"

    @classmethod
    def encode_outputs(cls, payload, use_bytes=True):
        return [_column_output(payload[column], use_bytes) for column in payload]

    @classmethod
    def encode_response(cls, model_name, payload, model_version=None, use_bytes=True, **kwargs):
        outputs = cls.encode_outputs(payload, use_bytes)
        return InferenceResponse(model_name=model_name, model_version=model_version, parameters=Parameters(content_type=cls.ContentType), outputs=outputs)

    @classmethod
    def decode_response(cls, response):
        return _frame(response.outputs)

    @classmethod
    def encode_request(cls, payload, use_bytes=True, **kwargs):
        inputs = [RequestInput(**vars(output)) for output in cls.encode_outputs(payload, use_bytes)]
        return InferenceRequest(parameters=Parameters(content_type=cls.ContentType), inputs=inputs)

    @classmethod
    def decode_request(cls, request):
        return _frame(request.inputs)


def _frame(tensors):
    import pandas

    return pandas.DataFrame({tensor.name: _series(tensor) for tensor in tensors})


def _series(tensor):
    import pandas

    if tensor.datatype == "BYTES":
        return pandas.Series(list(get_decoded_or_raw(tensor)))
    array = NumpyCodec.decode_input(tensor)
    return pandas.Series(array.reshape(-1) if array.size == array.shape[0] else list(array))


def _column_output(series, use_bytes):
    datatype = to_datatype(series.dtype) if series.dtype.kind in "biuf" else "BYTES"
    data, parameters = series.tolist(), None
    if datatype == "BYTES":
        data = [item if isinstance(item, bytes) else encode_str(str(item)) if use_bytes else str(item) for item in data]
        parameters = Parameters(content_type=StringCodec.ContentType)
    return ResponseOutput(name=str(series.name), datatype=datatype, shape=[len(data), 1], data=data, parameters=parameters)


try:
    from pandas import DataFrame
except ImportError:
    pass
else:
    PandasCodec.TypeHint = DataFrame
