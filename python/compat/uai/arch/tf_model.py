"""TensorFlow, from whatever `load_model` reads in `model_dir`."""

from __future__ import annotations

from typing import Any, Dict

from ..arch_conf.tf_conf import TFJsonConfLoader
from .base_model import AiUcloudModel


class TFAiUcloudModel(AiUcloudModel):
    """`model` is what `load_model` returns; `output` is a place for what `execute` needs."""

    def __init__(self, conf: Dict[str, Any], model_type: str = "tensorflow") -> None:
        super().__init__(conf, model_type)
        self.output: Dict[str, Any] = {}
        self.model = self.load_model()

    def _parse_conf(self, conf: Dict[str, Any]) -> None:
        super()._parse_conf(conf)
        self.model_dir = TFJsonConfLoader(conf).get_model_dir()
