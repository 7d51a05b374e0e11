"""The LOAD frame's JSON as checked values."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Optional

from .frames import PROTOCOL_VERSION, ProtocolError


class Settings:
    """What the server asks this worker to load and how. Unknown keys are ignored, so that a newer server can add some."""

    def __init__(self, text: bytes) -> None:
        self._read(json.loads(text))

    def _read(self, values: Dict[str, Any]) -> None:
        version = values.get("protocol")
        if version != PROTOCOL_VERSION:
            raise ProtocolError("the server speaks protocol %s, this worker speaks %d" % (version, PROTOCOL_VERSION))
        self.kind = str(values.get("kind", "class"))
        self.contract = str(values.get("contract", "seldon"))
        self.model = str(values.get("model", ""))
        self.file = str(values.get("file", ""))
        self.name = str(values.get("name", ""))
        self.code_path = str(values.get("codePath", ""))
        self.model_path = str(values.get("modelPath", ""))
        self.allow_pickle: List[str] = [str(name) for name in values.get("allowPickle", [])]
        self.site_path: List[str] = [str(path) for path in values.get("sitePath", [])]
        self.parameters: List[Dict[str, Any]] = list(values.get("parameters", []))
        self.service = str(values.get("service", "MODEL"))
        self.strict = values.get("strict") is True or os.environ.get("SELDON_STRICT_COMPAT", "").lower() in ("1", "true", "t")
        self.max_batch = int(values.get("maxBatch", 1))
        self.max_wait_seconds = float(values.get("maxWaitMs", 0)) / 1000
        self.log_level = str(values.get("logLevel", "INFO"))
        self.sort_keys = values.get("sortKeys") is not False
        self.ascii_only = values.get("asciiOnly") is not False
        self.typed_arrays = values.get("typedArrays") is True
        self.watched = values.get("watched") is True
        self.arena_bytes = int(values.get("arenaBytes", 0))
        self.shared_from = int(values.get("sharedFrom", 32768))
        self.worker = int(values.get("worker", 0))
        self.workers = int(values.get("workers", 1))
        self.threads = int(values.get("threads", 1))
        self.memory_bytes = int(values.get("memoryBytes", 0))
        #: Variables of this component's own; None takes one away.
        self.env: Dict[str, Optional[str]] = dict(values.get("env") or {})
        #: Components that are loaded into this process too, in the order of their numbers from 1 on.
        self.others: List[Settings] = [_settings_of(other) for other in values.get("others", [])]


def _settings_of(values: Dict[str, Any]) -> Settings:
    settings = Settings.__new__(Settings)
    settings._read(values)
    return settings
