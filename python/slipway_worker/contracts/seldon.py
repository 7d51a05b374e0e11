"""The class contract of Seldon Core's Python wrapper: which method answers which call, and what goes with the answer.

Differences from the original, all undone by SELDON_STRICT_COMPAT=1: whether a method takes `meta` (or `routing`) is decided by
its signature, so a TypeError of user code is not answered by a second call; a missing `predict` is an error instead of an empty
array; `score` of an outlier detector is honoured.
"""

from __future__ import annotations

import functools
import json
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from .. import arrays
from ..calls import DEFAULT, Adapter, Answer, Call, Message
from ..errors import SeldonMicroserviceException, is_not_implemented
from ..event_loop import is_async_function, is_generator_function, settled
from . import flask_handler
from .members import RAW_ORDER, Members, accepts
from .metrics import check_metrics
from .whole import messages_of, raw_argument

_PLAIN = ("predict", "transform_input", "transform_output", "route", "aggregate", "send_feedback", "health_status")
_IN_RUNS = ("predict", "transform_input", "transform_output")
_RESPONSE = "SeldonResponse"


class SeldonAdapter(Adapter):
    def __init__(self, user: Any, service: str = "MODEL", strict: bool = False) -> None:
        self._user = user
        self._strict = strict
        members = Members(user)
        self._stubs = members.stubs
        self.methods = members.names
        self._plain: Dict[str, Optional[Callable[..., Any]]] = {name: _waiting(members.get(name)) for name in _PLAIN}
        self.is_async = any(is_async_function(members.get(name)) for name in _PLAIN)
        self._passes_meta = {name: _passes_meta(method, strict) for name, method in self._plain.items() if method is not None}
        feedback = self._plain["send_feedback"]
        self._passes_routing = strict or feedback is None or accepts(feedback, "routing") is not False
        self._raw = {(name, grpc): members.raw_candidates(name, grpc) for name in RAW_ORDER for grpc in (False, True)}
        self.raw_rest = [name for name in RAW_ORDER if self._raw[name, False]]
        self.raw_grpc = [name for name in RAW_ORDER if self._raw[name, True]]
        #: A model that is a plain class and has no predict is a mistake; other components may be asked all the same.
        self._needs_predict = service == "MODEL" and not strict and "predict" not in self._stubs
        self._tags = members.get("tags")
        self._metrics = members.get("metrics")
        self._class_names = members.class_names()
        self._score = members.get("score") if service == "OUTLIER_DETECTOR" and not strict else None
        self.metadata = members.metadata()
        self._responses: Dict[type, bool] = {}
        self._handle = flask_handler.error_handler(user)
        self.can_batch = self._plain["predict"] is not None and not (self._tags or self._metrics) and "predict" not in self.raw_rest
        self.follows = [] if self.is_async else [name for name in _IN_RUNS if name not in self.raw_rest and self._passes_meta.get(name, False) is False]
        self.ignores_meta = self._passes_meta.get("predict") is False
        self._handlers: Tuple[Callable[[Call], Answer], ...] = (
            self._predict,
            self._transform_input,
            self._transform_output,
            self._route,
            self._aggregate,
            self._feedback,
            self._health,
            self._metadata,
        )

    def call(self, call: Call) -> Answer:
        return self._handlers[call.method](call)

    def predict_rows(self, rows: Any, names: List[str]) -> Any:
        predict = self._plain["predict"]
        if predict is None:
            raise SeldonMicroserviceException("Predict not defined")
        result = predict(rows, names, meta=None) if self._passes_meta["predict"] else predict(rows, names)
        return None if self._is_response(type(result)) else result

    def finish_rows(self, rows: Any) -> Answer:
        return self._finish(rows)

    def handle_error(self, error: BaseException) -> Optional[Tuple[int, str, bytes]]:
        return self._handle(error) if self._handle is not None else None

    def _predict(self, call: Call) -> Answer:
        raw = self._answer_raw("predict", call)
        if raw is not None:
            return raw
        message = _only(call)
        predict = self._plain["predict"]
        if predict is not None:
            try:
                return self._finish(self._invoke("predict", predict, message, call.is_grpc))
            except Exception as error:
                if not is_not_implemented(error):
                    raise
        elif self._needs_predict:
            raise SeldonMicroserviceException("Predict not defined")
        return self._finish([], is_absent=True)

    def _transform_input(self, call: Call) -> Answer:
        if self._score is not None and self._plain["transform_input"] is None:
            message = _only(call)
            return self._finish(message.value, runtime_tags={"outlierScore": _plain_number(self._score(message.value, message.names))})
        return self._transform("transform_input", call)

    def _transform_output(self, call: Call) -> Answer:
        return self._transform("transform_output", call)

    def _transform(self, name: str, call: Call) -> Answer:
        raw = self._answer_raw(name, call)
        if raw is not None:
            return raw
        message = _only(call)
        method = self._plain[name]
        if method is not None:
            try:
                return self._finish(self._invoke(name, method, message, call.is_grpc))
            except Exception as error:
                if not is_not_implemented(error):
                    raise
        return self._finish(message.value)

    def _route(self, call: Call) -> Answer:
        raw = self._answer_raw("route", call)
        if raw is not None:
            return raw
        method = self._required("route")
        result, tags, metrics = self._unwrap(self._invoke("route", method, _only(call), call.is_grpc))
        if not isinstance(result, int):
            raise SeldonMicroserviceException("Routing response must be int but got " + str(result))
        return self._finish([[result]], runtime_tags=tags, runtime_metrics=metrics)

    def _aggregate(self, call: Call) -> Answer:
        raw = self._answer_raw("aggregate", call)
        if raw is not None:
            return raw
        method = self._required("aggregate")
        messages = _decoded(call)
        return self._finish(method([message.value for message in messages], [message.names for message in messages]))

    def _feedback(self, call: Call) -> Answer:
        raw = self._answer_raw("send_feedback", call)
        if raw is not None:
            return raw
        method = self._plain["send_feedback"]
        result = None
        if method is not None:
            messages = _decoded(call)
            truth = messages[1].value if len(messages) > 1 else arrays.empty_array()
            keywords = {"routing": call.extra.get("routing")} if self._passes_routing else {}
            try:
                result = method(messages[0].value, messages[0].names, float(call.extra.get("reward", 0.0)), truth, **keywords)
            except Exception as error:
                if not is_not_implemented(error):
                    raise
        if result is not None and self._is_response(type(result)) and result.data is None:
            result.data = []
        return self._finish([] if result is None else result, is_absent=result is None)

    def _health(self, call: Call) -> Answer:
        raw = self._answer_raw("health_status", call)
        if raw is not None:
            return raw
        method = self._plain["health_status"]
        if method is not None:
            try:
                return self._finish(method())
            except Exception as error:
                if not is_not_implemented(error):
                    raise
                return self._finish("not implemented - assuming healthy")
        return self._finish("not implemented - assuming healthy" if "health_status" in self._stubs else "healthy")

    def _metadata(self, call: Call) -> Answer:
        return Answer(self.metadata or {}, is_absent=self.metadata is None)

    def _required(self, name: str) -> Callable[..., Any]:
        method = self._plain[name]
        if method is None:
            stub = name in self._stubs
            raise SeldonMicroserviceException("%s is not implemented" % name if stub else "%s not defined" % name.capitalize())
        return method

    def _invoke(self, name: str, method: Callable[..., Any], message: Message, is_grpc: bool) -> Any:
        passes_meta = self._passes_meta[name]
        if passes_meta is False:
            return method(message.value, message.names)
        text = message.meta_text
        meta = json.loads(text) if text else ({} if is_grpc else None)
        if passes_meta:
            return method(message.value, message.names, meta=meta)
        try:
            return method(message.value, message.names, meta=meta)
        except TypeError:
            return method(message.value, message.names)

    def _answer_raw(self, name: str, call: Call) -> Optional[Answer]:
        for method, style in self._raw[name, call.is_grpc]:
            if name != "health_status" and not (call.messages and call.messages[0].is_whole):
                return None
            try:
                argument = () if name == "health_status" else (raw_argument(call, style, name),)
                return Answer(method(*argument), is_raw=True)
            except Exception as error:
                if style != "raw" or not is_not_implemented(error):
                    raise
        return None

    def _is_response(self, kind: type) -> bool:
        known = self._responses.get(kind)
        if known is None:
            known = self._responses[kind] = any(base.__name__ == _RESPONSE for base in kind.__mro__)
        return known

    def _unwrap(self, result: Any) -> Tuple[Any, Optional[Dict[str, Any]], Any]:
        if not self._is_response(type(result)):
            return result, None, None
        return result.data, getattr(result, "tags", None), getattr(result, "metrics", None)

    def _finish(
        self,
        result: Any,
        runtime_tags: Optional[Dict[str, Any]] = None,
        runtime_metrics: Any = None,
        is_absent: bool = False,
    ) -> Answer:
        """Adds metrics, names and tags, asked in the original's order; the class's own come first, those of this answer last."""
        if self._is_response(type(result)):
            result, runtime_tags, runtime_metrics = self._unwrap(result)
        answer = Answer(result, is_absent=is_absent)
        if self._metrics is not None or runtime_metrics is not None:
            runtime = [] if runtime_metrics is None else check_metrics(runtime_metrics, self._strict)
            answer.metrics = check_metrics(_optional(self._metrics, []), self._strict) + runtime
        if self._class_names is not None and isinstance(result, (arrays.ndarray, list)):
            answer.names = self._names_for(result)
        if self._tags is not None or runtime_tags:
            answer.tags = {}
            for tags in (_optional(self._tags, None), runtime_tags):
                if tags:
                    answer.tags.update(tags)
        return answer

    def _names_for(self, result: Any) -> Any:
        axes = result.ndim if isinstance(result, arrays.ndarray) else arrays.axes_of(result)
        if axes < 2:
            return DEFAULT
        return _optional(self._class_names, DEFAULT) if callable(self._class_names) else self._class_names


def _passes_meta(method: Callable[..., Any], strict: bool) -> Optional[bool]:
    """None where only a try can tell. The original tries always, and a method without `meta` fails before any code of it runs."""
    if strict:
        return False if accepts(method, "meta", follow_wrapped=False) is False else None
    return accepts(method, "meta")


def _waiting(method: Optional[Callable[..., Any]]) -> Optional[Callable[..., Any]]:
    """A method whose coroutine is awaited, and whose generator is collected into a list; any other is left as it is."""
    if method is None or not (is_async_function(method) or is_generator_function(method)):
        return method

    @functools.wraps(method)
    def call(*args: Any, **keywords: Any) -> Any:
        return settled(method(*args, **keywords))  # type: ignore[misc]

    return call


def _optional(method: Optional[Callable[[], Any]], otherwise: Any) -> Any:
    if method is None:
        return otherwise
    try:
        return method()
    except Exception as error:
        if is_not_implemented(error):
            return otherwise
        raise


def _only(call: Call) -> Message:
    return _decoded(call)[0]


def _decoded(call: Call) -> Sequence[Message]:
    """The messages with values; whole ones are taken apart first, because a raw method declined."""
    if not call.messages:
        raise IndexError("list index out of range")
    return messages_of(call) if call.messages[0].is_whole else call.messages


def _plain_number(value: Any) -> Any:
    if isinstance(value, arrays.ndarray):
        return value.item() if value.size == 1 else value.tolist()
    return value.item() if hasattr(value, "item") else value
