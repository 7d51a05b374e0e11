"""Tensors on the wire as arrays in memory, and answers of user code as payloads.

With numpy a tensor is a view of its bytes. Without it, nested lists take the place of arrays.
"""

from __future__ import annotations

import contextlib
import importlib
import json
from array import array
from struct import Struct
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

from . import frames
from .errors import SeldonMicroserviceException
from .frames import ARRAY, TENSOR, Buffer

numpy: Any = None  # stays None when the user has none
with contextlib.suppress(ImportError):
    numpy = importlib.import_module("numpy")

# In the order of the Open Inference names; the index is the code on the wire. 0 is for payloads that are not tensors.
DATATYPES = ("", "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "BF16", "FP32", "FP64", "BYTES")
ITEM_BYTES = (0, 1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 0)
BF16 = DATATYPES.index("BF16")
BYTES_TYPE = DATATYPES.index("BYTES")
BOOL, INT64, FP64 = DATATYPES.index("BOOL"), DATATYPES.index("INT64"), DATATYPES.index("FP64")
_NUMPY_NAMES = ("", "?", "<u1", "<u2", "<u4", "<u8", "<i1", "<i2", "<i4", "<i8", "<f2", "", "<f4", "<f8", "")
_ARRAY_CODES = ("", "B", "B", "H", "I", "Q", "b", "h", "i", "q", "", "", "f", "d", "")

if numpy is not None:
    DTYPES: Tuple[Any, ...] = tuple(numpy.dtype(name) if name else None for name in _NUMPY_NAMES)
    CODES: Dict[Any, int] = {dtype: code for code, dtype in enumerate(DTYPES) if dtype is not None}
    ndarray: Any = numpy.ndarray
else:
    DTYPES = ()
    CODES = {}
    ndarray = ()  # isinstance(x, ()) is always false

Encoded = Tuple[int, int, Tuple[int, ...], Buffer]


def count_of(shape: Tuple[int, ...]) -> int:
    count = 1
    for axis in shape:
        count *= axis
    return count


def decode_tensor(datatype: int, shape: Tuple[int, ...], data: Buffer) -> Any:
    """An array that shares memory with `data`, which must be writable. What does not fit together is the caller's fault."""
    if datatype < 1 or datatype > BYTES_TYPE:
        raise SeldonMicroserviceException("datatype %d" % datatype)
    if datatype == BYTES_TYPE:
        return _shaped(_text_items(decode_items(count_of(shape), data)), shape)
    if count_of(shape) * ITEM_BYTES[datatype] != len(data):
        raise SeldonMicroserviceException("%d bytes for shape %s of %s" % (len(data), list(shape), DATATYPES[datatype]))
    if numpy is None:
        return nest(_plain_items(datatype, data), shape)
    if datatype == BF16:
        wide = numpy.frombuffer(data, "<u2").astype("<u4") << 16
        return wide.view("<f4").reshape(shape)
    return numpy.ndarray(shape, DTYPES[datatype], data)


def decode_array(value: Any) -> Any:
    """A parsed JSON array as numpy sees it: one type for all elements, as the Seldon wrapper gives it to user code."""
    return value if numpy is None else numpy.array(value)


def decode_array_typed(value: Any) -> Any:
    """The same, but numbers beside text stay numbers: an object array."""
    if numpy is None:
        return value
    plain = numpy.array(value)
    return numpy.array(value, dtype=object) if plain.dtype.kind in "US" and not _all_text(value) else plain


def empty_array() -> Any:
    return [] if numpy is None else numpy.array([])


def _all_text(value: Any) -> bool:
    return all(_all_text(item) for item in value) if isinstance(value, list) else isinstance(value, str)


def decode_items(count: int, data: Buffer) -> List[Any]:
    items: List[Any] = []
    view = memoryview(data)
    at = 0
    for _ in range(count):
        if at + 4 > len(view):
            raise SeldonMicroserviceException("a BYTES tensor that ends too early")
        (size,) = frames.U32.unpack_from(view, at)
        if at + 4 + size > len(view):
            raise SeldonMicroserviceException("a BYTES tensor that ends too early")
        items.append(bytes(view[at + 4 : at + 4 + size]))
        at += 4 + size
    if at != len(view):
        raise SeldonMicroserviceException("a BYTES tensor with bytes left over")
    return items


def _text_items(items: List[Any]) -> List[Any]:
    """Text where all of them are text."""
    try:
        return [item.decode("utf-8") for item in items]
    except UnicodeDecodeError:
        return items


def _shaped(items: List[Any], shape: Tuple[int, ...]) -> Any:
    if numpy is None:
        return nest(items, shape)
    is_text = bool(items) and isinstance(items[0], str)
    return numpy.array(items, dtype=None if is_text else object).reshape(shape)


def _plain_items(datatype: int, data: Buffer) -> List[Any]:
    code = _ARRAY_CODES[datatype]
    if code:
        items = array(code)
        items.frombytes(bytes(data))
        return [item != 0 for item in items] if datatype == BOOL else items.tolist()
    count = len(data) // 2
    if datatype == BF16:
        halves = Struct("<%dH" % count).unpack(bytes(data))
        return list(Struct("<%df" % count).unpack(Struct("<%dI" % count).pack(*(half << 16 for half in halves))))
    return list(Struct("<%de" % count).unpack(bytes(data)))


def nest(items: List[Any], shape: Tuple[int, ...]) -> Any:
    """Cuts a flat list into nested ones."""
    if not shape:
        return items[0]
    rows = items
    for axis in reversed(shape[1:]):
        if axis == 0:
            return []
        rows = [rows[start : start + axis] for start in range(0, len(rows), axis)]
    return rows


def encode_array(value: Any, dumps: Callable[[Any], str], keeps_lists: bool = False) -> Encoded:
    """
    An array or list as kind, datatype code, shape and bytes: a tensor when one datatype holds it, else JSON.
    With `keeps_lists` a list that an array would change, such as `[1, 2.5]` or `["a", 1]`, stays the JSON that it is, with the datatype
    that an array of it has when that is one of numbers.
    """
    if numpy is None:
        return _encode_list(value, dumps, keeps_lists)
    if isinstance(value, numpy.ma.MaskedArray) and numpy.ma.is_masked(value):
        return ARRAY, 0, value.shape, dumps(value.tolist()).encode("utf-8", "surrogatepass")
    is_list = not isinstance(value, ndarray)
    whole = numpy.array(value) if is_list else numpy.asarray(value)
    dtype = whole.dtype
    code = CODES.get(dtype)
    if code is None and dtype.kind in "biuf" and dtype.byteorder == ">":
        whole = whole.astype(dtype.newbyteorder("<"))
        code = CODES.get(whole.dtype)
    if code is None and dtype.kind == "f":  # longdouble
        whole = whole.astype("<f8")
        code = FP64
    if is_list and keeps_lists and not _is_alike(value, dtype.kind):
        with contextlib.suppress(TypeError):  # numpy's own numbers among the items: as an array then
            return ARRAY, (code or 0) if dtype.kind in "iuf" else 0, whole.shape, dumps(value).encode("utf-8", "surrogatepass")
    if code is None:
        return ARRAY, 0, whole.shape, dumps(whole.tolist()).encode("utf-8", "surrogatepass")
    return TENSOR, code, whole.shape, as_bytes(whole)


_PLAIN_TYPES = {"i": int, "u": int, "f": float, "b": bool}


def _is_alike(value: Any, kind: str) -> bool:
    """True when an array of this list has the items that the list has."""
    types: Set[type] = set()
    _leaf_types(value, types)
    return not types or types == {_PLAIN_TYPES.get(kind)}


def _leaf_types(value: Any, into: Set[type]) -> None:
    found = set(map(type, value))
    if list in found or tuple in found:
        for item in value:
            if isinstance(item, (list, tuple)):
                _leaf_types(item, into)
        found -= {list, tuple}
    into |= found


def as_bytes(whole: Any) -> Buffer:
    """The row-major bytes of an array, without a copy when they lie so and there are many."""
    if whole.nbytes < 16384 or not whole.flags.c_contiguous or whole.ndim == 0:
        return whole.tobytes()  # type: ignore[no-any-return]
    return memoryview(whole.reshape(-1).view("<u1"))


def _encode_list(value: Any, dumps: Callable[[Any], str], keeps_lists: bool) -> Encoded:
    shape = _shape_of(value)
    flat: List[Any] = []
    if shape is not None and _flatten(value, len(shape), flat):
        types = {type(item) for item in flat}
        if types == {bool}:
            return TENSOR, BOOL, shape, bytes(flat)
        if types == {int} and all(-(1 << 63) <= item < 1 << 63 for item in flat):
            return TENSOR, INT64, shape, array("q", flat).tobytes()
        if float in types and types <= {int, float, bool} or not types:
            if keeps_lists and len(types) > 1:
                return ARRAY, FP64, shape, dumps(value).encode("utf-8", "surrogatepass")
            return TENSOR, FP64, shape, array("d", flat).tobytes()
    return ARRAY, 0, shape or (len(value),), dumps(value).encode("utf-8", "surrogatepass")


def _shape_of(value: Any) -> Optional[Tuple[int, ...]]:
    shape: List[int] = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value or len(shape) > frames.MAX_AXES:
            break
        value = value[0]
    return tuple(shape) if len(shape) <= frames.MAX_AXES else None


def flat(value: List[Any]) -> Tuple[Tuple[int, ...], List[Any]]:
    """Shape and leaves of nested lists; the leaves are none when the rows differ in length."""
    shape = _shape_of(value) or ()
    leaves: List[Any] = []
    return shape, leaves if _flatten(value, len(shape), leaves) else []


def _flatten(value: Any, depth: int, into: List[Any]) -> bool:
    """False when the rows are of unequal length or depth."""
    if depth == 0:
        into.append(value)
        return not isinstance(value, list)
    if not isinstance(value, list):
        return False
    if depth > 1 and len({len(row) if isinstance(row, list) else -1 for row in value}) > 1:
        return False
    return all(_flatten(row, depth - 1, into) for row in value)


def rows_in(value: Any) -> int:
    """Length of axis 0 of an answer, or -1 when it has none."""
    if isinstance(value, ndarray):
        return int(value.shape[0]) if value.ndim else -1
    return len(value) if isinstance(value, list) else -1


def make_dumps(sort_keys: bool, ascii_only: bool, strict: bool = True) -> Callable[[Any], str]:
    """JSON text the way Flask writes it: sorted, compact, dates and decimals as text; NaN and Infinity as bare words.
    Numbers of numpy are an error there, and with `strict`; else they are plain numbers."""
    default = _flask_default if strict else _lenient_default
    encoder = json.JSONEncoder(sort_keys=sort_keys, ensure_ascii=ascii_only, separators=(",", ":"), default=default)
    return encoder.encode


def _lenient_default(value: Any) -> Any:
    is_number = getattr(value, "shape", None) == () and getattr(getattr(value, "dtype", None), "kind", "") in "biuf"
    return value.item() if is_number else _flask_default(value)


def _flask_default(value: Any) -> Any:
    import dataclasses
    import datetime
    import decimal
    import uuid
    from email.utils import format_datetime

    if isinstance(value, datetime.date):
        if not isinstance(value, datetime.datetime):
            value = datetime.datetime(value.year, value.month, value.day)
        return format_datetime(value.replace(tzinfo=value.tzinfo or datetime.timezone.utc).astimezone(datetime.timezone.utc), usegmt=True)
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if hasattr(value, "__html__"):
        return str(value.__html__())
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def plain_items(values: Any) -> List[Any]:
    """The items, each as Python's own number or text."""
    return [value.item() if hasattr(value, "item") else value for value in values]


def axes_of(value: Any) -> int:
    """Number of axes of nested lists, as far as the first items tell."""
    shape = _shape_of(value)
    return len(shape) if shape is not None else 1
