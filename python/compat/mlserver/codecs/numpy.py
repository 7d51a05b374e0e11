"""Tensors as numpy arrays. numpy is imported with the first use, since not every runtime has it."""

from ..types import Datatype, Parameters, ResponseOutput, TensorData
from .base import InputCodec, SingleInputRequestCodec, register_input_codec, register_request_codec

_DTYPES = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
}
_DATATYPES = {dtype: datatype for datatype, dtype in _DTYPES.items()}


def is_array(payload):
    kind = type(payload)
    return kind.__module__ == "numpy" and kind.__name__ == "ndarray"


def to_datatype(dtype):
    name = str(dtype)
    if name not in _DATATYPES and dtype.kind not in "OSU":
        raise ValueError("there is no datatype for %s" % name)
    return Datatype(_DATATYPES.get(name, "BYTES"))


def to_dtype(input_or_output):
    import numpy

    return numpy.dtype(_DTYPES.get(input_or_output.datatype, "object"))


@register_input_codec
class NumpyCodec(InputCodec):
    ContentType = "np"

    @classmethod
    def can_encode(cls, payload):
        return is_array(payload)

    @classmethod
    def encode_output(cls, name, payload, **kwargs):
        shape = list(payload.shape) if payload.ndim > 1 else [*payload.shape, 1]
        data = TensorData.from_array(payload)
        return ResponseOutput(name=name, datatype=to_datatype(payload.dtype), shape=shape, data=data, parameters=Parameters(content_type=cls.ContentType))

    @classmethod
    def decode_input(cls, request_input):
        import numpy

        array = request_input.data.array
        if request_input.datatype == "BYTES":
            items = request_input.data.root
            array = numpy.array(items, dtype=bytes if items and isinstance(items[0], bytes) else str)
        elif array is None:
            array = numpy.array(request_input.data.root, dtype=to_dtype(request_input))
        elif not array.flags.writeable:
            array = array.copy()
        return array.reshape(request_input.shape)


@register_request_codec
class NumpyRequestCodec(SingleInputRequestCodec):
    InputCodec = NumpyCodec
    ContentType = NumpyCodec.ContentType


try:
    from numpy import ndarray
except ImportError:
    pass
else:
    NumpyCodec.TypeHint = ndarray
