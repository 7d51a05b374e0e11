"""The `caffe` section."""

from __future__ import annotations

from typing import Any

from .base_conf import ArchJsonConfLoader


class CaffeJsonConfLoader(ArchJsonConfLoader):
    def _load(self) -> None:
        super()._load()
        own = self.server_conf["caffe"]
        self.model_dir: Any = own["model_dir"]
        self.model_name: Any = own["model_name"]

    def get_model_dir(self) -> Any:
        return self.model_dir

    def get_model_name(self) -> Any:
        return self.model_name
