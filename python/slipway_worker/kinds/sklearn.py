"""A scikit-learn model file.

`predict` unless the parameter `method` says `predict_proba` or `decision_function`. A model file is code: load only what you trust.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional

_METHODS = ("predict", "predict_proba", "decision_function")


class SklearnModel:
    def __init__(self, path: str, method: str = "predict") -> None:
        if method not in _METHODS:
            raise ValueError('parameter "method": got "%s", want one of %s' % (method, ", ".join(_METHODS)))
        self._model = _read(path)
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


def load(path: str, method: str = "predict") -> SklearnModel:
    return SklearnModel(path, method)


def _read(path: str) -> Any:
    try:
        import joblib  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        import pickle

        with open(path, "rb") as file:
            return pickle.load(file)
    return joblib.load(path)
