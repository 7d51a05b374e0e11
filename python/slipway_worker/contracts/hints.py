"""What the type hints of `predict` say of its inputs and outputs.

`inputs` and what is returned are `TypedDict`s, whose members are arrays with a datatype: `NDArray[np.float32]`, or
`Annotated[np.ndarray, "FP32", (-1, 4)]`, which says the shape too. A generator's hint is that of what it yields.
"""

from __future__ import annotations

import typing
from typing import Any, Dict, List, Optional

from ..arrays import DATATYPES

NUMPY = {
    "bool": "BOOL",
    "bool_": "BOOL",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    **{sign + "int" + size: sign.upper() + "INT" + size for sign in ("", "u") for size in ("8", "16", "32", "64")},
    "str_": "BYTES",
    "bytes_": "BYTES",
    "object_": "BYTES",
}
GENERATORS = ("Iterator", "Iterable", "Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator", "Awaitable", "Coroutine")


def hinted_metadata(predict: Any) -> Optional[Dict[str, Any]]:
    """In the form of `metadata.json`; None where the hints do not say every input."""
    try:
        hints = typing.get_type_hints(predict, include_extras=True)
    except Exception:  # names that only a type checker finds: the hints are no promise to us
        return None
    inputs = _specs(hints.get("inputs"))
    return None if inputs is None else {"inputs": inputs, "outputs": _specs(_yielded(hints.get("return"))) or []}


def _yielded(hint: Any) -> Any:
    origin = getattr(typing.get_origin(hint), "__name__", "")
    return typing.get_args(hint)[0] if origin in GENERATORS and typing.get_args(hint) else hint


def _specs(hint: Any) -> Optional[List[Dict[str, Any]]]:
    """None for what is no `TypedDict` whose members all say their datatype."""
    if not (isinstance(hint, type) and issubclass(hint, dict) and hasattr(hint, "__total__")):
        return None
    try:
        members = typing.get_type_hints(hint, include_extras=True)
    except Exception:  # as above
        return None
    specs = [_spec(name, member) for name, member in members.items()]
    found = [spec for spec in specs if spec is not None]
    return found if specs and len(found) == len(specs) else None


def _spec(name: str, hint: Any) -> Optional[Dict[str, Any]]:
    said = getattr(hint, "__metadata__", ())
    datatypes = [one for one in said if isinstance(one, str) and one in DATATYPES[1:]]
    shapes = [list(one) for one in said if isinstance(one, (tuple, list)) and all(isinstance(axis, int) for axis in one)]
    datatype = datatypes[0] if datatypes else _numpy_datatype(hint.__origin__ if said else hint)
    if datatype is None:
        return None
    return {"name": name, "datatype": datatype, **({"shape": shapes[0]} if shapes else {"shape": [-1], "isRankUnknown": True})}


def _numpy_datatype(hint: Any) -> Optional[str]:
    """Of `NDArray[np.float32]`, which is `ndarray[shape, dtype[float32]]`."""
    for argument in typing.get_args(hint):
        for scalar in typing.get_args(argument):
            found = NUMPY.get(getattr(scalar, "__name__", ""))
            if found is not None:
                return found
    return None
