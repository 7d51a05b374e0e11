"""MXNet: a symbol file and the parameters of one epoch."""

from __future__ import annotations

import os
from typing import Any, Dict

from ..arch_conf.mxnet_conf import MXNetJsonConfLoader
from .base_model import AiUcloudModel


class MXNetAiUcloudModel(AiUcloudModel):
    def __init__(self, conf: Dict[str, Any], model_type: str = "mxnet") -> None:
        super().__init__(conf, model_type)
        self.output: Dict[str, Any] = {}
        self.load_model()

    def _parse_conf(self, conf: Dict[str, Any]) -> None:
        super()._parse_conf(conf)
        loader = MXNetJsonConfLoader(conf)
        self.model_dir = loader.get_model_dir()
        self.model_name = loader.get_model_name()
        self.num_epoch = loader.get_num_epoch()
        self.model_prefix = os.path.join(self.model_dir, self.model_name)
