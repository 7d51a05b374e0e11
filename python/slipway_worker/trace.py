"""The caller's trace context, for user code that has OpenTelemetry: spans it makes and calls it sends belong to the caller's trace."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import Any, Iterator


@contextmanager
def attached(traceparent: str) -> Iterator[None]:
    """Makes the span that `traceparent` names the current one. Does nothing where user code has not imported OpenTelemetry."""
    context = sys.modules.get("opentelemetry.context")
    if context is None:
        yield
        return
    token = context.attach(_extract(traceparent))
    try:
        yield
    finally:
        context.detach(token)


def _extract(traceparent: str) -> Any:
    from opentelemetry import propagate  # type: ignore[import-not-found, unused-ignore]

    return propagate.extract({"traceparent": traceparent})
