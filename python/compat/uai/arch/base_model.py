"""What every class of the contract has."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from ..arch_conf.base_conf import ArchJsonConfLoader


class AiUcloudModel:
    """A model behind `POST /service`. `load_model` runs once; `execute` answers a list of requests with a list of the same length.

    This class alone does not call `load_model`; those of the frameworks do.
    """

    def __init__(self, conf: Dict[str, Any], model_type: Optional[str] = None) -> None:
        self.conf = conf
        self.model_type = model_type
        self._parse_conf(conf)

    def _parse_conf(self, conf: Dict[str, Any]) -> None:
        """May run more than once, so it only reads."""
        loader = ArchJsonConfLoader(conf)
        self.main_file = loader.get_main_file()
        self.main_class = loader.get_main_class()

    def load_model(self) -> Any:
        """Does nothing, so that a class may call it through `super()`."""
        return None

    def execute(self, data: List[Any], batch_size: int) -> Any:
        """Does nothing; the server says what a class without it lacks."""
        return None
