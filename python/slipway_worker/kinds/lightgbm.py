"""A text model of LightGBM."""

from __future__ import annotations

import importlib
from typing import Any, Dict

from .given import rows


class LightgbmModel:
    def __init__(self, path: str, raw: bool = False) -> None:
        self.booster = importlib.import_module("lightgbm").Booster(model_file=path)
        self._raw = raw

    def predict(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        return {"predict": self.booster.predict(rows(inputs), raw_score=self._raw)}


def load(path: str, raw: bool = False) -> LightgbmModel:
    return LightgbmModel(path, raw)
