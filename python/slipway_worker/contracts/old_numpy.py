"""What numpy did when the classes of the old service were written, and does no more."""

from __future__ import annotations

import sys
from typing import Any


def let_array_str_take_numbers() -> None:
    """`np.array_str(np.argmax(x))` stands in much code for this service; numpy is left alone where nobody has imported it."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or hasattr(numpy.array_str, "original"):
        return
    original: Any = numpy.array_str

    def array_str(a: Any, *args: Any, **kwargs: Any) -> Any:
        return original(numpy.asarray(a), *args, **kwargs)

    setattr(array_str, "original", original)
    numpy.array_str = array_str
