"""XGBoost: one model file, by a path relative to the server's folder."""

from __future__ import annotations

from typing import Any, Dict

from ..arch_conf.xgboost_conf import XGBoostJsonConfLoader
from .base_model import AiUcloudModel


class XGBoostUcloudModel(AiUcloudModel):
    def __init__(self, conf: Dict[str, Any], model_type: str = "xgboost") -> None:
        super().__init__(conf, model_type)
        self.output: Dict[str, Any] = {}
        self.load_model()

    def _parse_conf(self, conf: Dict[str, Any]) -> None:
        super()._parse_conf(conf)
        self.model_name = XGBoostJsonConfLoader(conf).get_model_name()
