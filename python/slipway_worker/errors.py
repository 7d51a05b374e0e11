"""Errors of user code as plain data, and tracebacks without our own frames."""

from __future__ import annotations

import base64
import importlib
import json
import os
import re
import traceback
from typing import Any, Dict, List, Optional, Tuple

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep
_MAX_TEXT = 64 * 1024


class Stopped(SystemExit):
    """Raised in the main thread by SIGTERM; ends the loop wherever it is."""


class SeldonMicroserviceException(Exception):
    """Our own refusals carry the name that logs and clients of the Seldon wrapper know."""

    def __init__(self, message: str, status_code: int = 400, reason: str = "MICROSERVICE_BAD_DATA") -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.reason = reason


class PickleRefused(SeldonMicroserviceException):
    """A model file wants to import or call what is not allowed. Its text says what, and how the user allows it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 500, "MICROSERVICE_INTERNAL_ERROR")


def is_not_implemented(error: BaseException) -> bool:
    """True for `SeldonNotImplementedError`, whichever package it came from."""
    return any(base.__name__ == "SeldonNotImplementedError" for base in type(error).__mro__)


def is_seldon_error(error: BaseException) -> bool:
    return any(base.__name__ == "SeldonMicroserviceException" for base in type(error).__mro__)


def trimmed_traceback(error: BaseException) -> str:
    """The traceback with the user's frames only, chained causes included."""
    whole = traceback.TracebackException.from_exception(error)
    seen: List[Any] = [whole]
    for part in seen:
        part.stack = traceback.StackSummary.from_list([frame for frame in part.stack if not _is_ours(frame.filename)])
        seen.extend(other for other in (part.__cause__, part.__context__) if other is not None and all(other is not one for one in seen))
    return "".join(whole.format())[-_MAX_TEXT:]


def _is_ours(filename: str) -> bool:
    return filename.startswith((_OURS, "<frozen ")) or filename == importlib.__file__


def describe(error: BaseException, handled: Optional[Tuple[int, str, bytes]] = None) -> bytes:
    """The JSON text of an ERROR frame."""
    seldon = is_seldon_error(error)
    message = getattr(error, "message", None) if seldon else _text_of(error)
    reason = getattr(error, "reason", "MICROSERVICE_BAD_DATA") if seldon else "MICROSERVICE_INTERNAL_ERROR"
    out: Dict[str, Any] = {
        "type": type(error).__name__,
        "message": str(message)[:_MAX_TEXT],
        "status": _status_of(error) if seldon else 500,
        "reason": str(reason),
        "isRefusal": seldon,
        "traceback": trimmed_traceback(error),
    }
    for key, value in (("message", message), ("reason", reason)):
        if not isinstance(value, str):
            out[key + "Json"] = _json_of(value)
    lacks = lacks_of(error)
    if lacks is not None:
        out["lacks"] = lacks
    payload = getattr(error, "payload", None) if seldon else None
    if payload is not None:
        out["payload"] = repr(payload)[:_MAX_TEXT]
    if handled is not None:
        status, content_type, body = handled
        out["response"] = {"status": status, "contentType": content_type, "body": base64.b64encode(body).decode("ascii")}
    return json.dumps(out).encode("ascii")


_NO_ATTRIBUTE = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")


def lacks_of(error: BaseException) -> Optional[Dict[str, str]]:
    """The module that is not there, or the attribute that a module does not have; `None` for any other error."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return {"module": error.name}
    if isinstance(error, AttributeError):
        found = _NO_ATTRIBUTE.search(_text_of(error))
        if found is not None:
            return {"module": found.group(1), "attribute": found.group(2)}
    return None


def _json_of(value: Any) -> str:
    """A message that is no text, such as a dict, goes out as what it is."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError):
        text = json.dumps(str(value))
    return text if len(text) <= _MAX_TEXT else json.dumps(str(value)[:_MAX_TEXT])


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(the error has no text)"


def _status_of(error: BaseException) -> int:
    status = getattr(error, "status_code", 400)
    return status if isinstance(status, int) and 100 <= status <= 599 else 400
