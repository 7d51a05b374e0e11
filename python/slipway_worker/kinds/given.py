"""What loaders share: taking named inputs as a framework wants them, and telling of tensors in the words of the Open Inference Protocol."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

_DATATYPES = {"bool": "BOOL", "float16": "FP16", "bfloat16": "BF16", "float32": "FP32", "float64": "FP64", "string": "BYTES", "object": "BYTES"}


def spec(name: str, dtype: str, shape: Optional[Sequence[Optional[int]]]) -> Dict[str, Any]:
    """One entry of `inputs` or `outputs`. An axis of any length is -1; an unknown rank is one such axis, and says so."""
    axes = [-1] if shape is None else [-1 if axis is None else int(axis) for axis in shape]
    about: Dict[str, Any] = {"name": name, "datatype": _DATATYPES.get(dtype, dtype.upper()), "shape": axes}
    if shape is None:
        about["isRankUnknown"] = True
    return about


def only(inputs: Dict[str, Any]) -> Any:
    """The one input of a model that takes one, whatever it is called."""
    if len(inputs) != 1:
        raise ValueError("the model takes one input, and got %d: %s" % (len(inputs), ", ".join(inputs)))
    return next(iter(inputs.values()))


def rows(inputs: Dict[str, Any]) -> Any:
    """The one input as rows of numbers; a single row may come without its batch axis."""
    table = only(inputs)
    return table.reshape(1, -1) if table.ndim == 1 else table.reshape(table.shape[0], -1)


def by_name(inputs: Dict[str, Any], names: List[str]) -> Dict[str, Any]:
    """Inputs under the model's own names. A model of one input takes its only one under any name."""
    if len(names) == 1 and len(inputs) == 1:
        return {names[0]: only(inputs)}
    unknown = [name for name in inputs if name not in names]
    if unknown:
        raise ValueError("there is no input %s; the model takes %s" % (", ".join(unknown), ", ".join(names)))
    return inputs


def words(text: str) -> List[str]:
    """The names in a parameter, between commas."""
    return [word.strip() for word in text.split(",") if word.strip()]
