"""The `tensorflow` section, of checkpoints and of SavedModels."""

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


class TFServingJsonConfLoader(ArchJsonConfLoader):
    def _load(self) -> None:
        super()._load()
        own = self.server_conf["tensorflow"]
        self.model_dir: Any = own["model_dir"]
        self.input: Any = own["input"]
        self.output: Any = own["output"]
        self.tag: Any = own["tag"]
        self.signature: Any = own["signature"]

    def get_model_dir(self) -> Any:
        return self.model_dir

    def get_input_set(self) -> Any:
        return self.input

    def get_output_set(self) -> Any:
        return self.output

    def get_tag_set(self) -> Any:
        return self.tag

    def get_signature(self) -> Any:
        return self.signature
