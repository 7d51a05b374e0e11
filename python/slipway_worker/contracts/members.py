"""Which of the optional members a user class has. A method inherited from `SeldonComponent` unchanged counts as absent."""

from __future__ import annotations

import inspect
import logging
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

from ..errors import is_not_implemented

_LOG = logging.getLogger("slipway.seldon")

_BASE_MODULE = "seldon_core.user_model"

NAMES = (
    "predict",
    "transform_input",
    "transform_output",
    "route",
    "aggregate",
    "send_feedback",
    "health_status",
    "init_metadata",
    "tags",
    "metrics",
    "class_names",
    "feature_names",
    "load",
    "custom_service",
    "score",
    "model_error_handler",
    "predict_raw",
    "transform_input_raw",
    "transform_output_raw",
    "route_raw",
    "aggregate_raw",
    "send_feedback_raw",
    "health_status_raw",
    "predict_rest",
    "predict_grpc",
    "transform_input_rest",
    "transform_input_grpc",
    "transform_output_rest",
    "transform_output_grpc",
    "route_rest",
    "route_grpc",
    "aggregate_rest",
    "aggregate_grpc",
    "send_feedback_rest",
    "send_feedback_grpc",
)

#: Methods that can be answered from the whole message.
RAW_ORDER = ("predict", "transform_input", "transform_output", "route", "aggregate", "send_feedback", "health_status")

RawCandidate = Tuple[Callable[..., Any], str]


class Members:
    def __init__(self, user: Any) -> None:
        self._user = user
        self.stubs: Set[str] = {name for name in NAMES if _is_stub(getattr(user, name, None))}
        self.names: List[str] = [name for name in NAMES if name not in self.stubs and hasattr(user, name)]

    def get(self, name: str) -> Optional[Callable[..., Any]]:
        return getattr(self._user, name) if name in self.names else None

    def raw_candidates(self, name: str, is_grpc: bool) -> List[RawCandidate]:
        """Methods to try before the plain one, with what each is given: `rest`, `grpc` or `raw`."""
        if name == "health_status":
            styles = ["raw"]
        elif name == "predict":
            styles = ["grpc" if is_grpc else "rest", "raw"]
        else:
            styles = ["rest", "grpc", "raw"]
        found = [(self.get("%s_%s" % (name, style)), style) for style in styles]
        return [(method, style) for method, style in found if method is not None]

    def class_names(self) -> Any:
        """A method, or a list where the class still has the deprecated attribute, or None."""
        if "class_names" not in self.names:
            return None
        value = self._user.class_names
        if not callable(value):
            _LOG.info("class_names attribute is deprecated. Please define a class_names method")
        return value

    def metadata(self) -> Optional[Dict[str, Any]]:
        """What `init_metadata` returns; None when there is none or when it is not a dict."""
        method = self.get("init_metadata")
        if method is None:
            return None
        try:
            value = method()
        except Exception as error:
            if is_not_implemented(error):
                return None
            raise
        if isinstance(value, dict):
            return value
        _LOG.error("init_metadata must return dict")
        return None


def _is_stub(member: Any) -> bool:
    function = getattr(member, "__func__", None)
    return function is not None and getattr(function, "__module__", None) == _BASE_MODULE


def accepts(method: Callable[..., Any], keyword: str, follow_wrapped: bool = True) -> Optional[bool]:
    """True when the method can be called with this keyword; None when its signature cannot be read. `follow_wrapped`: a decorated method
    counts as what it was before."""
    try:
        parameters = inspect.signature(method, follow_wrapped=follow_wrapped).parameters
    except (TypeError, ValueError):
        return None
    found = parameters.get(keyword)
    if found is not None:
        return found.kind is not inspect.Parameter.POSITIONAL_ONLY
    return any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())


def is_not_implemented_or_missing(error: BaseException, strict: bool) -> bool:
    """True for an error of load() that means "there is no load"."""
    return is_not_implemented(error) or isinstance(error, NotImplementedError) or (strict and isinstance(error, AttributeError))
