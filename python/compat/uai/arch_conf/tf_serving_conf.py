"""The `tensorflow` section of a SavedModel."""

from __future__ import annotations

from typing import Any

from .tf_conf import TFJsonConfLoader


class TFServingJsonConfLoader(TFJsonConfLoader):
    def _load(self) -> None:
        super()._load()
        own = self.server_conf["tensorflow"]
        self.input: Any = own["input"]
        self.output: Any = own["output"]
        self.tag: Any = own["tag"]
        self.signature: Any = own["signature"]

    def get_input(self) -> Any:
        return self.input

    def get_output(self) -> Any:
        return self.output

    def get_tag(self) -> Any:
        return self.tag

    def get_signature(self) -> Any:
        return self.signature
