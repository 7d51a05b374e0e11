"""Caffe: a prototxt and a caffemodel of one name."""

from __future__ import annotations

import os
from typing import Any, Dict

from ..arch_conf.caffe_conf import CaffeJsonConfLoader
from .base_model import AiUcloudModel


class CaffeAiUcloudModel(AiUcloudModel):
    def __init__(self, conf: Dict[str, Any], model_type: str = "caffe") -> None:
        super().__init__(conf, model_type)
        self.output: Dict[str, Any] = {}
        self.load_model()

    def _parse_conf(self, conf: Dict[str, Any]) -> None:
        super()._parse_conf(conf)
        loader = CaffeJsonConfLoader(conf)
        self.model_dir = loader.get_model_dir()
        self.model_name = loader.get_model_name()
        self.model_arch_file = os.path.join(self.model_dir, self.model_name + ".prototxt")
        self.model_weight_file = os.path.join(self.model_dir, self.model_name + ".caffemodel")
