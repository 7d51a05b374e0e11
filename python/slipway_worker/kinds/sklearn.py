"""A scikit-learn model file.

`predict`, or `transform` of what cannot predict, unless the parameter `method` names another. The file may import only what the allow-list
names. An estimator that reads text takes one text a row; one that chooses columns by their names takes each column as an input.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, Dict, List, Optional, Sequence

from ..safe_pickle import load_model, read_allowed
from .given import only, spec

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
_METHODS = ("predict", "predict_proba", "decision_function", "transform")
# Keys that people give the model in a dictionary, best first; the describing side has the same.
_MODEL_KEYS = ("model", "estimator", "pipeline", "classifier", "regressor", "clf")


class SklearnModel:
    """Rows of numbers."""

    def __init__(self, model: Any, method: str) -> None:
        self._model = model
        self._call = getattr(model, method)
        classes = getattr(model, "classes_", None)
        is_scored = method in ("predict_proba", "decision_function")
        self._names: Optional[List[str]] = [str(name) for name in classes] if is_scored and classes is not None else None
        if self._names is not None:
            self.class_names = self._known_names

    def _known_names(self) -> List[str]:
        return self._names or []

    def predict(self, X: Any, names: Any) -> Any:
        return _dense(self._call(X))

    def signature(self) -> Optional[Dict[str, Any]]:
        """Input width and column names where the model knows them."""
        width = getattr(self._model, "n_features_in_", None)
        if not isinstance(width, int):
            return None
        names = getattr(self._model, "feature_names_in_", None)
        return {"features": width, "names": [str(name) for name in names] if names is not None else []}


class TextModel:
    """Texts, one a row."""

    def __init__(self, model: Any, method: str) -> None:
        self._call = getattr(model, method)
        self._method = method
        self.metadata = {"inputs": [spec("X", "string", (None,))], "outputs": []}

    def predict(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        return {self._method: _dense(self._call(_texts(only(inputs))))}


class ColumnsModel:
    """A table whose columns have names, and types of their own: each column is an input."""

    def __init__(self, model: Any, method: str) -> None:
        self._pandas = importlib.import_module("pandas")
        self._call = getattr(model, method)
        self._method = method
        self._columns = [str(name) for name in model.feature_names_in_]
        types = _column_types(model)
        self.metadata = {"inputs": [spec(name, types.get(name, "float64"), (None,)) for name in self._columns], "outputs": []}

    def predict(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        missing = [name for name in self._columns if name not in inputs]
        if missing:
            raise ValueError("the input %s is missing" % ", ".join(missing))
        table = {name: _texts(inputs[name]) if inputs[name].dtype.kind in "OSU" else inputs[name].reshape(-1) for name in self._columns}
        return {self._method: _dense(self._call(self._pandas.DataFrame(table)))}


def _texts(values: Any) -> List[str]:
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values.reshape(-1).tolist()]


def _dense(found: Any) -> Any:
    """What a transformer gives as a sparse matrix, as an array."""
    return found.toarray() if hasattr(found, "toarray") else found


def _first(model: Any) -> Any:
    """The first step of a pipeline, of a pipeline in it, and so on."""
    while getattr(model, "steps", None):
        model = model.steps[0][1]
    return model


def _column_types(model: Any) -> Dict[str, str]:
    """Types of the columns that a step was fitted on: text where its categories, its fill values or its words are."""
    types: Dict[str, str] = {}
    for _, step, columns in getattr(_first(model), "transformers_", []):
        names = [columns] if isinstance(columns, str) else [name for name in columns if isinstance(name, str)]
        types.update((name, "string") for name, is_text in zip(names, _text_columns(_first(step), len(names))) if is_text)
    return types


def _text_columns(step: Any, count: int) -> List[bool]:
    """For each column of a fitted step, whether it takes text."""
    if hasattr(step, "vocabulary_"):
        return [True] * count
    if hasattr(step, "categories_"):
        return [one.dtype.kind in "OSU" for one in step.categories_]
    fill = getattr(step, "statistics_", None)
    return [fill is not None and fill.dtype.kind in "OSU"] * count


def load(path: str, method: str = "", allow_pickle: Sequence[str] = ()) -> Any:
    if method and method not in _METHODS:
        raise ValueError('parameter "method": got "%s", want one of %s' % (method, ", ".join(_METHODS)))
    return model_of(read_estimator(path, allow_pickle), method)


def read_estimator(path: str, allow_pickle: Sequence[str]) -> Any:
    """The estimator of a file, which imports what the allow-list names and nothing else."""
    return _estimator_in(_read(path, allow_pickle))


def model_of(model: Any, method: str) -> Any:
    """An estimator as the worker serves it."""
    asked = method or ("predict" if hasattr(model, "predict") else "transform")
    first = _first(model)
    if type(first).__name__ in ("CountVectorizer", "TfidfVectorizer", "HashingVectorizer"):
        return TextModel(model, asked)
    by_columns = hasattr(first, "transformers_") and getattr(model, "feature_names_in_", None) is not None
    return ColumnsModel(model, asked) if by_columns else SklearnModel(model, asked)


def _estimator_in(value: Any) -> Any:
    """The model itself, or the one that a dictionary holds."""
    if not isinstance(value, dict):
        return value
    found = [key for key, item in value.items() if hasattr(item, "predict") or hasattr(item, "transform")]
    named = [key for key in _MODEL_KEYS if key in found]
    if not named and len(found) != 1:
        raise ValueError("the file holds a dictionary with %d estimators, and no key says which is the model" % len(found))
    return value[(named or found)[0]]


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
