"""The `xgboost` section."""

from __future__ import annotations

from typing import Any

from .base_conf import ArchJsonConfLoader


class XGBoostJsonConfLoader(ArchJsonConfLoader):
    def _load(self) -> None:
        super()._load()
        own = self.server_conf["xgboost"]
        self.model_name: Any = own["model_name"]

    def get_model_name(self) -> Any:
        return self.model_name
