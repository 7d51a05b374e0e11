"""What numpy did when the classes of the old service were written, and does no more."""

from __future__ import annotations

import sys
from typing import Any, List

_MENDED: List[Any] = []


def let_array_str_take_numbers() -> None:
    """`np.array_str(np.argmax(x))` stands in much code for this service; numpy is left alone where nobody has imported it."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or numpy.array_str in _MENDED:
        return
    original: Any = numpy.array_str

    def array_str(a: Any, *args: Any, **kwargs: Any) -> Any:
        return original(numpy.asarray(a), *args, **kwargs)

    _MENDED.append(array_str)
    numpy.array_str = array_str
