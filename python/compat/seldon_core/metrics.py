"""Helpers that make custom metrics, and the check that the server applies to them."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

COUNTER = "COUNTER"
GAUGE = "GAUGE"
TIMER = "TIMER"


def create_counter(key: str, value: float, tags: Optional[Dict[str, str]] = None) -> Dict[str, Any]:
    """A counter; `value` is added to it."""
    return _metric(COUNTER, key, value, tags)


def create_gauge(key: str, value: float, tags: Optional[Dict[str, str]] = None) -> Dict[str, Any]:
    """A gauge; it is set to `value`."""
    return _metric(GAUGE, key, value, tags)


def create_timer(key: str, value: float, tags: Optional[Dict[str, str]] = None) -> Dict[str, Any]:
    """A timer; `value` is in milliseconds."""
    return _metric(TIMER, key, value, tags)


def validate_metrics(metrics: Any) -> bool:
    """True for a list whose entries have a key, a number as value, and one of the three types."""
    if not isinstance(metrics, list):
        return False
    for metric in metrics:
        if not isinstance(metric, dict) or not ("key" in metric and "value" in metric and "type" in metric):
            return False
        if metric["type"] not in (COUNTER, GAUGE, TIMER):
            return False
        try:
            metric["value"] + 1
        except TypeError:
            return False
    return True


def split_image_tag(tag: str) -> Tuple[str, str]:
    """Name and version of an image reference, cut at the last colon; without one all of it is the version."""
    name, _, version = tag.rpartition(":")
    return name, version


def _metric(kind: str, key: str, value: float, tags: Optional[Dict[str, str]]) -> Dict[str, Any]:
    if not validate_metrics([{"key": key, "value": value, "type": kind}]):
        raise TypeError("value of metric %r is not a number" % (key,))
    metric: Dict[str, Any] = {"key": key, "type": kind, "value": value}
    if tags is not None:
        metric["tags"] = tags
    return metric
