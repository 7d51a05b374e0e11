"""Classes of other servers: MLServer's `MLModel` and KServe's `Model`, from the real package or from our stand-in for it."""

from __future__ import annotations

import inspect
from typing import Any, Dict, List, Optional, Sequence

from .. import arrays
from ..arrays import DATATYPES
from ..calls import Adapter
from ..errors import SeldonMicroserviceException
from ..event_loop import settled
from ..settings import Settings
from ..tensors import TensorSpec, read_specs

_BASES = (("mlserver", "MLModel"), ("kserve", "Model"))


def custom_package(user_class: Any) -> Optional[str]:
    """`mlserver` or `kserve` when a class that this one is made from is that package's; None for any other class."""
    for base in inspect.getmro(user_class)[1:] if inspect.isclass(user_class) else ():
        for package, name in _BASES:
            if base.__name__ == name and base.__module__.split(".")[0] == package:
                return package
    return None


def load_custom(package: str, user_class: Any, settings: Settings, parameters: Dict[str, Any]) -> Adapter:
    """Makes the object, runs its `load()` and wraps it."""
    if package == "mlserver":
        from .mlserver import load_mlserver

        return load_mlserver(user_class, settings, parameters)
    from .kserve import load_kserve

    return load_kserve(user_class, settings, parameters)


def run_load(user: Any, name: str) -> None:
    """False means that the model cannot be served; nothing at all means that it can, since many classes forget to say it."""
    if settled(user.load()) is False:
        raise RuntimeError('load() of the model "%s" returned False' % name)
    user.ready = True


def refused(error: Exception, status: int) -> SeldonMicroserviceException:
    """An error whose status its class chose, with the same text."""
    return SeldonMicroserviceException(str(error) or type(error).__name__, status, type(error).__name__)


def specs_of(tensors: Sequence[Any]) -> List[Dict[str, Any]]:
    """What a class says of its tensors, as the Open Inference Protocol has it. @raises ValueError for what is no such list"""
    found = [
        one if isinstance(one, dict) else {"name": one.name, "datatype": getattr(one.datatype, "value", one.datatype), "shape": one.shape} for one in tensors
    ]
    plain = [{"name": one.get("name"), "datatype": one.get("datatype"), "shape": list(one.get("shape") or [])} for one in found]
    read_specs(plain)
    return plain


def datatype_of(value: Any) -> str:
    """That of an array that came with a request."""
    if arrays.numpy is None:
        _, leaves = arrays.flat(value)
        first = leaves[0] if leaves else 0.0
        return "BYTES" if isinstance(first, (bytes, str)) else "BOOL" if isinstance(first, bool) else "INT64" if isinstance(first, int) else "FP64"
    if value.dtype.kind in "OSU":
        return "BYTES"
    return next((DATATYPES[code] for code, dtype in enumerate(arrays.DTYPES) if dtype is not None and dtype == value.dtype), "FP32")


def shape_of(value: Any) -> List[int]:
    return list(arrays.flat(value)[0] if arrays.numpy is None else value.shape)


def flat_items(value: Any) -> List[Any]:
    """The elements in row-major order; those of BYTES are text where all of them are UTF-8, as a request in JSON has them."""
    items: List[Any] = list(arrays.flat(value)[1]) if arrays.numpy is None else value.reshape(-1).tolist()
    try:
        return [item.decode("utf-8") if isinstance(item, bytes) else item for item in items]
    except UnicodeDecodeError:
        return items


def tensor_of(name: str, datatype: str, shape: Sequence[int], data: Any) -> Any:
    """An output as an array. BYTES whose shape does not fit their number, as MLServer's own examples have them, are one axis of items."""
    if datatype not in DATATYPES[1:]:
        raise TypeError('the output "%s" has the datatype %r' % (name, datatype))
    if datatype == "BYTES":
        return _texts(shape, data)
    if arrays.numpy is None:
        return arrays.nest(arrays.flat(data if isinstance(data, list) else [data])[1], tuple(shape))
    dtype = arrays.DTYPES[DATATYPES.index(datatype)]
    try:
        return arrays.numpy.asarray(data, dtype=dtype).reshape(tuple(shape))
    except (TypeError, ValueError) as error:
        raise TypeError('the output "%s" is no %s of the shape %s: %s' % (name, datatype, list(shape), error)) from error


def _texts(shape: Sequence[int], data: Any) -> Any:
    if hasattr(data, "reshape"):
        items = data.reshape(-1).tolist()
    else:
        items = [data] if isinstance(data, (str, bytes)) else list(arrays.flat(list(data))[1])
    fits = arrays.count_of(tuple(shape)) == len(items)
    if arrays.numpy is None:
        return arrays.nest(items, tuple(shape)) if fits else items
    array = arrays.numpy.empty(len(items), dtype=object)
    array[:] = items
    return array.reshape(tuple(shape)) if fits else array


def output_specs(signature: Optional[Dict[str, Any]]) -> List[TensorSpec]:
    """Outputs as the encoder of answers reads them."""
    return read_specs(signature["outputs"]) if signature is not None else []
