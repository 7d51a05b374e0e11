"""A model file of XGBoost: JSON, UBJSON, or the binary format where the installed release reads it."""

from __future__ import annotations

import importlib
from typing import Any, Dict

from .given import rows


class XgboostModel:
    def __init__(self, path: str, margin: bool = False) -> None:
        self._xgboost = importlib.import_module("xgboost")
        self.booster = self._xgboost.Booster()
        try:
            self.booster.load_model(path)
        except self._xgboost.core.XGBoostError as error:
            if "str[0] ==" not in str(error) and "Unknown file format" not in str(error):
                raise
            raise ValueError("XGBoost %s does not read the old binary format of %s: install xgboost-cpu==2.1.4" % (self._xgboost.__version__, path)) from error
        self._margin = margin

    def predict(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        matrix = self._xgboost.DMatrix(rows(inputs), feature_names=self.booster.feature_names)
        return {"predict": self.booster.predict(matrix, output_margin=self._margin)}


def load(path: str, margin: bool = False) -> XgboostModel:
    return XgboostModel(path, margin)
