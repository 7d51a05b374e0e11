"""Custom metrics: a list of `{"type", "key", "value", "tags"?}`; anything else loses the prediction, as in the original."""

from __future__ import annotations

import json
from typing import Any, List

from ..errors import SeldonMicroserviceException

_TYPES = ("COUNTER", "GAUGE", "TIMER")


def check_metrics(metrics: Any) -> List[Any]:
    """The metrics, or [] for None. Raises MICROSERVICE_BAD_METRIC with status 500."""
    if metrics is None:
        return []
    if isinstance(metrics, list) and all(_is_valid(metric) for metric in metrics):
        return metrics
    text = json.dumps(metrics, default=str)
    raise SeldonMicroserviceException("Bad metric created during request: " + text, 500, "MICROSERVICE_BAD_METRIC")


def _is_valid(metric: Any) -> bool:
    if not isinstance(metric, dict) or not ("key" in metric and "value" in metric and metric.get("type") in _TYPES):
        return False
    try:
        metric["value"] + 1
    except TypeError:
        return False
    return True
