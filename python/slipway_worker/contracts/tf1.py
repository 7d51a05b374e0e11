"""`import tensorflow` with the API of TensorFlow 1, graphs and sessions, on a TensorFlow of today."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import os
import sys
from typing import Any, Dict

_GONE: Dict[str, str] = {
    "contrib": "slim and contrib.layers live on as the package tf_slim, the rest has to be written anew",
    "examples": "what it read has to be read by other means",
}


class _Gone(importlib.abc.MetaPathFinder):
    """Says why a module is not there, where Python would only say that it is not."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        parts = fullname.split(".")
        if parts[0] == "tensorflow" and len(parts) > 1 and parts[1] in _GONE:
            raise ModuleNotFoundError(_why(parts[1]), name=fullname)


def use_tf1() -> None:
    """Has `import tensorflow`, whole or in parts, give the API of version 1 from here on, with eager execution off.

    Keras, and with it `tf.layers` and the cells of `tf.nn`, is then the package `tf_keras` where that is installed: Keras 3 knows no sessions.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise ModuleNotFoundError("SLIPWAY_TF1_COMPAT asks for the API of TensorFlow 1, but no TensorFlow is installed", name="tensorflow")
    has_old_keras = importlib.util.find_spec("tf_keras") is not None
    if has_old_keras:
        os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # read when TensorFlow is imported
    whole: Any = importlib.import_module("tensorflow")
    if str(getattr(whole, "__version__", "")).startswith("1."):
        return
    v1: Any = importlib.import_module("tensorflow.compat.v1")
    v1.disable_v2_behavior()
    v1.__path__ = [*v1.__path__, *(path for path in whole.__path__ if path not in v1.__path__)]  # tensorflow.python.x, tensorflow.core.x
    v1.__getattr__ = _missing
    sys.modules["tensorflow"] = v1
    if has_old_keras:
        sys.modules["keras"] = importlib.import_module("tf_keras.api._v1.keras")
    sys.meta_path.insert(0, _Gone())


def _missing(name: str) -> Any:
    raise AttributeError(_why(name) if name in _GONE else "module 'tensorflow' has no attribute '%s'" % name)


def _why(part: str) -> str:
    return "TensorFlow 2 has no tensorflow.%s: %s" % (part, _GONE[part])
