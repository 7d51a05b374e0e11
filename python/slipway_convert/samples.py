"""Inputs to compare on: random ones of the shapes that a model takes, and those that the user gives."""

from __future__ import annotations

import importlib
import json
from typing import Any, Dict, List, NamedTuple

from .job import Job, Tensor

#: Rows of the random requests: one, and some.
_BATCHES = (1, 5)
#: Length of an open axis that is not the first: of pictures, of anything else.
_OPEN_SIDE, _OPEN_AXIS = 64, 8
_DTYPES = {
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
}


class Sample(NamedTuple):
    #: `random`, or the name of the file that it is from.
    source: str
    values: Dict[str, Any]


class NoSamples(ValueError):
    """Nothing can be compared: `why` says what is missing."""


def samples_for(job: Job, inputs: List[Tensor]) -> List[Sample]:
    given = [Sample(path, read_request(path, inputs)) for path in job.given]
    if not inputs:
        if given:
            return given
        raise NoSamples("the model does not say what it takes")
    texts = [one.name for one in inputs if one.datatype == "BYTES"]
    if texts:
        if given:
            return given
        raise NoSamples("the input %s takes text, which random numbers are not" % ", ".join(texts))
    return given + [Sample("random", random_values(job, inputs, rows)) for rows in _BATCHES]


def random_values(job: Job, inputs: List[Tensor], rows: int) -> Dict[str, Any]:
    numpy = importlib.import_module("numpy")
    generator = numpy.random.default_rng(job.seed + rows)
    return {one.name: _random(numpy, generator, one, job.shapes.get(one.name) or sized(one.shape, rows)) for one in inputs}


def sized(shape: List[int], rows: int) -> List[int]:
    """A shape without open axes."""
    is_picture = len(shape) == 4
    return [size if size >= 0 else rows if axis == 0 else (_OPEN_SIDE if is_picture else _OPEN_AXIS) for axis, size in enumerate(shape)]


def _random(numpy: Any, generator: Any, tensor: Tensor, shape: List[int]) -> Any:
    dtype = _DTYPES[tensor.datatype]
    if dtype == "bool":
        return generator.integers(0, 2, shape).astype(dtype)
    if dtype == "uint8":
        return generator.integers(0, 256, shape).astype(dtype)
    if "int" in dtype:
        return generator.integers(0, 2, shape).astype(dtype)  # 0 and 1 are indices of everything
    # Numbers that a float32 holds, since converted models often compute with these.
    return generator.random(shape, dtype="float32").astype(dtype)


def read_request(path: str, inputs: List[Tensor]) -> Dict[str, Any]:
    """The tensors of a V2 request, or `{"inputs": {NAME: nested lists}}`."""
    numpy = importlib.import_module("numpy")
    with open(path, encoding="utf-8") as opened:
        request = json.load(opened)
    found = request.get("inputs") if isinstance(request, dict) else request
    known = {one.name: one for one in inputs}
    if isinstance(found, dict):
        return {name: _array(numpy, value, known[name].datatype if name in known else None) for name, value in found.items()}
    if isinstance(found, list) and all(isinstance(one, dict) and "data" in one for one in found):
        return {one["name"]: _array(numpy, one["data"], one.get("datatype")).reshape(one["shape"]) for one in found}
    if len(inputs) == 1:
        return {inputs[0].name: _array(numpy, found, inputs[0].datatype)}
    raise NoSamples("%s has no inputs by name" % path)


def _array(numpy: Any, value: Any, datatype: Any) -> Any:
    if datatype == "BYTES":
        return numpy.array(value, dtype=object)
    return numpy.array(value, dtype=_DTYPES[datatype] if datatype else None)
