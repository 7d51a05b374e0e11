"""Model files that need no user code. One file a kind, each with `load(path, **parameters)`, which gives an object of the Seldon contract.

A model may also have `signature()`: `{"features": width, "names": [column, ...]}`, or None when it does not know.
"""

from __future__ import annotations

import importlib
from typing import Any, Dict

# Kind names are those of the model description; modules are looked up by name, so that one kind's framework is never loaded for another.
_MODULES = {"sklearn": "sklearn"}


def has_kind(kind: str) -> bool:
    """True for kinds that this worker loads by itself."""
    return kind in _MODULES


def load_kind(kind: str, path: str, parameters: Dict[str, Any]) -> Any:
    """Loads the model at `path`. Whatever the framework raises goes on."""
    module = importlib.import_module("%s.%s" % (__name__, _MODULES[kind]))
    return module.load(path, **parameters)
