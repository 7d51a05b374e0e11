"""What every configuration has: the main file and the main class."""

from __future__ import annotations

from typing import Any, Dict


class ArchJsonConfLoader:
    """Reads `conf["http_server"]`. Subclasses add keys by overriding `_load`, which only reads and may run again."""

    def __init__(self, conf: Dict[str, Any]) -> None:
        self.conf = conf
        self._load()

    def _load(self) -> None:
        self.server_conf: Dict[str, Any] = self.conf["http_server"]
        self.main_file: str = self.server_conf["exec"]["main_file"]
        self.main_class: str = self.server_conf["exec"]["main_class"]

    def get_main_file(self) -> str:
        return self.main_file

    def get_main_class(self) -> str:
        return self.main_class
