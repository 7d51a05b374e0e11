"""The `keras` section."""

from __future__ import annotations

from typing import Any

from .base_conf import ArchJsonConfLoader


class KerasJsonConfLoader(ArchJsonConfLoader):
    def _load(self) -> None:
        super()._load()
        own = self.server_conf["keras"]
        self.model_dir: Any = own["model_dir"]
        self.model_name: Any = own["model_name"]
        self.all_one_file: Any = own["all_one_file"]
        self.model_arch_type: Any = own["model_arch_type"]

    def get_model_dir(self) -> Any:
        return self.model_dir

    def get_model_name(self) -> Any:
        return self.model_name

    def get_all_one_file(self) -> Any:
        return self.all_one_file

    def get_model_arch_type(self) -> Any:
        return self.model_arch_type
