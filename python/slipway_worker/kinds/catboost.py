"""A binary model of CatBoost. `method` is a prediction type of CatBoost, such as `Probability`."""

from __future__ import annotations

import importlib
from typing import Any, Dict

from .given import rows


class CatboostModel:
    def __init__(self, path: str, method: str = "RawFormulaVal") -> None:
        self.booster = importlib.import_module("catboost").CatBoost()
        self.booster.load_model(path)
        self._method = method

    def predict(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        return {"predict": self.booster.predict(rows(inputs), prediction_type=self._method)}


def load(path: str, method: str = "RawFormulaVal") -> CatboostModel:
    return CatboostModel(path, method)
