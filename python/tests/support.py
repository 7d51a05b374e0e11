"""Calls of a contract without a socket."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional

from slipway_worker.calls import PREDICT, Answer, Call, Message
from slipway_worker.contracts.seldon import SeldonAdapter


def call(
    user: Any,
    value: Any,
    method: int = PREDICT,
    names: Optional[List[str]] = None,
    meta: Optional[Dict[str, Any]] = None,
    grpc: bool = False,
    service: str = "MODEL",
    strict: bool = False,
    whole: bool = False,
) -> Answer:
    meta_text = b"" if meta is None else json.dumps(meta).encode()
    message = Message(value, names or [], meta_text, whole, json.dumps(value) if whole else "")
    return SeldonAdapter(user, service, strict).call(Call(method, [message], {}, grpc))
