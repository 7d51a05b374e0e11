"""Custom metrics: a list of `{"type", "key", "value", "tags"?}`; anything else loses the prediction, as in the original."""

from __future__ import annotations

import copy
import json
from typing import Any, List

from ..errors import SeldonMicroserviceException

_TYPES = ("COUNTER", "GAUGE", "TIMER")


def check_metrics(metrics: Any, strict: bool = False) -> List[Any]:
    """The metrics themselves. Raises MICROSERVICE_BAD_METRIC with status 500. `strict`: tags must be those of text that the original can join."""
    if not isinstance(metrics, list) or not all(_is_valid(metric, strict) for metric in metrics):
        text = json.dumps(metrics, default=str)
        raise SeldonMicroserviceException("Bad metric created during request: " + text, 500, "MICROSERVICE_BAD_METRIC")
    if strict:
        for metric in metrics:
            _join_tags(metric.get("tags", {}))
    return metrics


def _is_valid(metric: Any, strict: bool) -> bool:
    if not strict and not isinstance(metric, dict):
        return False
    if not ("key" in metric and "value" in metric and "type" in metric) or metric["type"] not in _TYPES:
        return False
    try:
        metric["value"] + 1
    except TypeError:
        return False
    return True


def _join_tags(tags: Any) -> None:
    """Fails where the original fails to make the name of a series, and in its words."""
    labels = copy.copy(tags)
    labels["method"] = ""
    for item in sorted(labels.items()):
        "-".join(item)
