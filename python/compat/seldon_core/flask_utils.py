"""The exception that carries an HTTP status to the client."""

from __future__ import annotations

from typing import Any, Dict, Optional


class SeldonMicroserviceException(Exception):
    """`status_code` becomes the HTTP status, `message` and `reason` go into the error body."""

    status_code = 400

    def __init__(
        self,
        message: str,
        status_code: Optional[int] = None,
        payload: Any = None,
        reason: str = "MICROSERVICE_BAD_DATA",
    ) -> None:
        Exception.__init__(self)
        self.message = message
        if status_code is not None:
            self.status_code = status_code
        self.payload = payload
        self.reason = reason

    def to_dict(self) -> Dict[str, Any]:
        return {"status": {"status": 1, "info": self.message, "code": -1, "reason": self.reason}}

    def __str__(self) -> str:
        return self.message
