"""Model files that need no user code. One file a kind, each with `load(path, **parameters)`, which gives an object
of the Seldon contract or of the typed one (`predict(inputs)` with named arrays, and `metadata` with its inputs and outputs).

A kind that unpickles has `UNPICKLES = True`; its `load` takes `allow_pickle`, names of the user's own, and loads through `safe_pickle`.

A model may also have `signature()`: `{"features": width, "names": [column, ...]}`, or None when it does not know.
"""

from __future__ import annotations

import importlib
from typing import Any, Dict, Sequence

# Kind names are those of the model description; modules are looked up by name, so that one kind's framework is never loaded for another.
_MODULES = {
    "caffe": "caffe",
    "catboost": "catboost",
    "keras": "keras",
    "lightgbm": "lightgbm",
    "mxnet": "mxnet",
    "pmml": "pmml",
    "pytorch": "pytorch",
    "sklearn": "sklearn",
    "skops": "skops",
    "tf-checkpoint": "tensorflow:load_checkpoint",
    "tf-frozen-graph": "tensorflow:load_graph",
    "tf-savedmodel": "tensorflow:load_saved_model",
    "xgboost": "xgboost",
}


def has_kind(kind: str) -> bool:
    """True for kinds that this worker loads by itself."""
    return kind in _MODULES


def load_kind(kind: str, path: str, parameters: Dict[str, Any], allow_pickle: Sequence[str] = ()) -> Any:
    """Loads the model at `path`. Whatever the framework raises goes on."""
    name, _, function = _MODULES[kind].partition(":")
    module = importlib.import_module("%s.%s" % (__name__, name))
    load = getattr(module, function or "load")
    if getattr(module, "UNPICKLES", False):
        return load(path, allow_pickle=allow_pickle, **parameters)
    return load(path, **parameters)
