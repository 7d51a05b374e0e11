"""Keras: architecture and weights in one file or in two."""

from __future__ import annotations

import os
from typing import Any, Dict

from ..arch_conf.keras_conf import KerasJsonConfLoader
from .base_model import AiUcloudModel


class KerasAiUcloudModel(AiUcloudModel):
    """`model_file` when all is in one file, else `model_arch_file` and `model_weight_file`."""

    def __init__(self, conf: Dict[str, Any], model_type: str = "keras") -> None:
        super().__init__(conf, model_type)
        self.output: Dict[str, Any] = {}
        self.load_model()

    def _parse_conf(self, conf: Dict[str, Any]) -> None:
        super()._parse_conf(conf)
        loader = KerasJsonConfLoader(conf)
        self.model_dir = loader.get_model_dir()
        self.model_name = loader.get_model_name()
        self.all_one_file = loader.get_all_one_file()
        weights = os.path.join(self.model_dir, self.model_name + ".h5")
        if self.all_one_file:
            self.model_file = weights
        else:
            self.model_arch_type = loader.get_model_arch_type()
            self.model_arch_file = os.path.join(self.model_dir, self.model_name + "." + self.model_arch_type)
            self.model_weight_file = weights
