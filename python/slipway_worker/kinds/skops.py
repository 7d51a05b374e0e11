"""An estimator in skops' archive. Only the types that skops itself trusts are made."""

from __future__ import annotations

import importlib
from typing import Any, Dict

from .given import only

_METHODS = ("predict", "predict_proba", "decision_function")


class SkopsModel:
    def __init__(self, path: str, method: str = "predict") -> None:
        if method not in _METHODS:
            raise ValueError('parameter "method": got "%s", want one of %s' % (method, ", ".join(_METHODS)))
        self._call = getattr(importlib.import_module("skops.io").load(path), method)
        self._name = method

    def predict(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        return {self._name: self._call(only(inputs))}


def load(path: str, method: str = "predict") -> SkopsModel:
    return SkopsModel(path, method)
