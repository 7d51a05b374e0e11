"""A scikit-learn model file.

`predict` unless the parameter `method` says `predict_proba` or `decision_function`. The file may import only what the allow-list names.
"""

from __future__ import annotations

import sys
from typing import Any, Dict, List, Optional, Sequence

from ..safe_pickle import load_model, read_allowed

UNPICKLES = True
_PACKAGES = {
    "sklearn": "scikit-learn",
    "imblearn": "imbalanced-learn",
    "numpy": "numpy",
    "scipy": "scipy",
    "pandas": "pandas",
    "joblib": "joblib",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
}
_METHODS = ("predict", "predict_proba", "decision_function")


class SklearnModel:
    def __init__(self, path: str, method: str = "predict", allow_pickle: Sequence[str] = ()) -> None:
        if method not in _METHODS:
            raise ValueError('parameter "method": got "%s", want one of %s' % (method, ", ".join(_METHODS)))
        self._model = _read(path, allow_pickle)
        self._call = getattr(self._model, method)
        classes = getattr(self._model, "classes_", None)
        self._names: Optional[List[str]] = [str(name) for name in classes] if method != "predict" and classes is not None else None
        if self._names is not None:
            self.class_names = self._known_names

    def _known_names(self) -> List[str]:
        return self._names or []

    def predict(self, X: Any, names: Any) -> Any:
        return self._call(X)

    def signature(self) -> Optional[Dict[str, Any]]:
        """Input width and column names where the model knows them."""
        width = getattr(self._model, "n_features_in_", None)
        if not isinstance(width, int):
            return None
        names = getattr(self._model, "feature_names_in_", None)
        return {"features": width, "names": [str(name) for name in names] if names is not None else []}


def load(path: str, method: str = "predict", allow_pickle: Sequence[str] = ()) -> SklearnModel:
    return SklearnModel(path, method, allow_pickle)


def _read(path: str, allow_pickle: Sequence[str]) -> Any:
    try:
        return load_model(path, read_allowed("sklearn", allow_pickle))
    except ModuleNotFoundError as error:
        package = _PACKAGES.get((error.name or "").split(".")[0])
        if package is None:
            raise
        install = "%s -m pip install %s" % (sys.executable, package)
        message = "%s is not installed for this Python (%s): install it there, for example with `%s`" % (package, sys.executable, install)
        raise ModuleNotFoundError(message, name=error.name) from error
