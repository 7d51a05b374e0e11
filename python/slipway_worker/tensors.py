"""Named tensors between frames and user code: all datatypes of the Open Inference Protocol, both ways."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from . import arrays, frames
from .arrays import BF16, BYTES_TYPE, DATATYPES
from .errors import SeldonMicroserviceException
from .frames import TENSOR, Buffer, OutMessage, OutTensor


class TensorSpec(NamedTuple):
    """What `metadata.json` says of one tensor. -1 stands for an axis of any length."""

    name: str
    datatype: int
    shape: Tuple[int, ...]


Encode = Callable[[int, Buffer, int, Tuple[int, ...]], OutMessage]


def decode_input(datatype: int, shape: Tuple[int, ...], data: Buffer) -> Any:
    """An array that shares memory with `data`; elements of BYTES are `bytes` in an array of objects."""
    if datatype != BYTES_TYPE:
        return arrays.decode_tensor(datatype, shape, data)
    items = arrays.decode_items(arrays.count_of(shape), data)
    if arrays.numpy is None:
        return arrays.nest(items, shape)
    array = arrays.numpy.empty(len(items), dtype=object)
    array[:] = items
    return array.reshape(shape)


def encode_outputs(outputs: Any, specs: Dict[str, TensorSpec], wanted: Optional[List[str]], encode: Encode) -> List[OutTensor]:
    """The tensors of one answer, in the order that the request wants, else in the answer's own."""
    if not isinstance(outputs, dict):
        raise TypeError("predict gave a %s; it has to give a dictionary of arrays by name" % type(outputs).__name__)
    if wanted is not None:
        missing = [name for name in wanted if name not in outputs]
        if missing:
            raise SeldonMicroserviceException("there is no output %s; the model gives %s" % (", ".join(missing), ", ".join(map(str, outputs))))
    names = list(outputs) if wanted is None else wanted
    return [_encode_output(str(name), outputs[name], specs.get(str(name)), encode) for name in names]


def _encode_output(name: str, value: Any, spec: Optional[TensorSpec], encode: Encode) -> OutTensor:
    try:
        datatype, shape, data = _tensor_of(value, spec)
    except (TypeError, ValueError) as error:
        raise TypeError('the output "%s" is no tensor: %s' % (name, error)) from error
    return OutTensor(encode(TENSOR, data, datatype, shape), name.encode("utf-8", "surrogatepass"))


def _tensor_of(value: Any, spec: Optional[TensorSpec]) -> Tuple[int, Tuple[int, ...], Buffer]:
    if isinstance(value, (str, bytes, bytearray)):
        return BYTES_TYPE, (1,), _pack([value])
    if arrays.numpy is None:
        return _list_tensor(value)
    array = arrays.numpy.asarray(value)
    if array.ndim == 0 and (spec is None or spec.shape):
        array = array.reshape(1)
    if array.dtype.kind in "OSU":
        return BYTES_TYPE, array.shape, _pack(array.reshape(-1).tolist())
    return _number_tensor(array, spec)


def _number_tensor(array: Any, spec: Optional[TensorSpec]) -> Tuple[int, Tuple[int, ...], Buffer]:
    numpy = arrays.numpy
    if array.dtype.name == "bfloat16":
        return BF16, array.shape, array.view("<u2").tobytes()
    if spec is not None and spec.datatype == BF16:
        bits = numpy.ascontiguousarray(array, dtype="<f4").view("<u4")
        return BF16, array.shape, ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()
    if spec is not None and spec.datatype != BYTES_TYPE and arrays.DTYPES[spec.datatype] != array.dtype:
        array = array.astype(arrays.DTYPES[spec.datatype], casting="same_kind")
    kind, datatype, shape, data = arrays.encode_array(array, _no_json)
    if kind != TENSOR:
        raise TypeError("there is no datatype for %s" % array.dtype)
    return datatype, shape, data


def _list_tensor(value: Any) -> Tuple[int, Tuple[int, ...], Buffer]:
    values = value if isinstance(value, list) else [value]
    shape, leaves = arrays.flat(values)
    if leaves and all(isinstance(leaf, (str, bytes)) for leaf in leaves):
        return BYTES_TYPE, shape, _pack(leaves)
    kind, datatype, shape, data = arrays.encode_array(values, _no_json)
    if kind != TENSOR:
        raise TypeError("it is ragged, or mixes kinds of values")
    return datatype, shape, data


def _no_json(_: Any) -> str:
    return ""


def _pack(items: List[Any]) -> bytes:
    parts: List[bytes] = []
    for item in items:
        data = item if isinstance(item, bytes) else _text(item)
        parts.extend((frames.U32.pack(len(data)), data))
    return b"".join(parts)


def _text(item: Any) -> bytes:
    if isinstance(item, str):
        return item.encode("utf-8", "surrogatepass")
    if isinstance(item, (bytearray, memoryview)):
        return bytes(item)
    raise TypeError("a %s among text" % type(item).__name__)


def read_specs(value: Any) -> List[TensorSpec]:
    """The list `inputs` or `outputs` of `metadata.json`, checked."""
    if not isinstance(value, list):
        raise ValueError("metadata.json: inputs and outputs have to be lists")
    specs: List[TensorSpec] = []
    for item in value:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise ValueError("metadata.json: a tensor has no name")
        datatype, shape = item.get("datatype"), item.get("shape")
        if datatype not in DATATYPES[1:]:
            raise ValueError('metadata.json: the tensor "%s" has the datatype %r' % (item["name"], datatype))
        if not isinstance(shape, list) or not all(isinstance(axis, int) and axis >= -1 for axis in shape):
            raise ValueError('metadata.json: the tensor "%s" has the shape %r' % (item["name"], shape))
        specs.append(TensorSpec(item["name"], DATATYPES.index(datatype), tuple(shape)))
    return specs
