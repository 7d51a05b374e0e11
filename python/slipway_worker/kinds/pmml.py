"""A PMML document, by pypmml, which needs a Java machine. Inputs are the active fields, each a column; outputs are columns too."""

from __future__ import annotations

import importlib
from typing import Any, Dict, List

from .given import spec

_DATATYPES = {"double": "float64", "float": "float32", "integer": "int64", "boolean": "bool"}


class PmmlModel:
    def __init__(self, path: str) -> None:
        self._numpy = importlib.import_module("numpy")
        self._model = importlib.import_module("pypmml").Model.load(path)
        self._types = {field.name: _DATATYPES.get(str(field.dataType).lower(), "string") for field in self._model.inputFields}

    @property
    def metadata(self) -> Dict[str, Any]:
        return {"inputs": [spec(name, dtype, [None]) for name, dtype in self._types.items()], "outputs": []}

    def predict(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        columns = {name: value.reshape(-1) for name, value in self._columns(inputs).items()}
        count = max((len(column) for column in columns.values()), default=0)
        rows = [{name: _plain(column[index]) for name, column in columns.items()} for index in range(count)]
        answers: List[Dict[str, Any]] = [self._with_class(self._model.predict(row)) for row in rows]
        names = list(answers[0]) if answers else []
        return {name: self._numpy.array([answer[name] for answer in answers]) for name in names}

    def _with_class(self, answer: Dict[str, Any]) -> Dict[str, Any]:
        """pypmml leaves the predicted class out when the document names its outputs: it is the one of the largest probability."""
        target = self._model.targetName
        likely = {name[len("probability(") : -1]: value for name, value in answer.items() if name.startswith("probability(")}
        if not target or target in answer or not likely:
            return answer
        return {**answer, target: max(likely, key=lambda name: likely[name])}

    def _columns(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        """Columns by name; one table of numbers has them in the order of the document. A field that the model does not use may come too."""
        names = list(self._types)
        if len(inputs) == 1 and len(names) > 1:
            table = next(iter(inputs.values()))
            if table.ndim == 2 and table.shape[1] == len(names):
                return {name: table[:, index] for index, name in enumerate(names)}
        return inputs


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if hasattr(value, "item") else value


def load(path: str) -> PmmlModel:
    return PmmlModel(path)
