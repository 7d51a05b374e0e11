"""The `tensorflow` section."""

from __future__ import annotations

from typing import Any

from .base_conf import ArchJsonConfLoader


class TFJsonConfLoader(ArchJsonConfLoader):
    def _load(self) -> None:
        super()._load()
        own = self.server_conf["tensorflow"]
        self.model_dir: Any = own["model_dir"]

    def get_model_dir(self) -> Any:
        return self.model_dir
