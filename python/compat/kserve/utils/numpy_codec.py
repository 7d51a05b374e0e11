"""Datatypes of the protocol and of numpy, which is imported with the first use."""

_NAMES = {
    "BOOL": "bool",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    "BYTES": "object",
}
_DATATYPES = {name: datatype for datatype, name in _NAMES.items()}


def to_np_dtype(dtype):
    import numpy

    return numpy.dtype(_NAMES[dtype]).type if dtype in _NAMES else None


def from_np_dtype(np_dtype):
    import numpy

    found = numpy.dtype(np_dtype)
    return _DATATYPES.get(found.name, "BYTES" if found.kind in "OSUM" else None)
