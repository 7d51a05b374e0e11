"""Several calls that are made in one go: each component is asked about the answer of the one before, without frames between them.

What a component gets is what it would read from the message that the one before writes: a run goes on only where an answer is an array of 64-bit
numbers, which that message carries unchanged. After any other answer, and when the calls take long, it ends early, and the server makes the
calls that are left one by one.
"""

from __future__ import annotations

import json
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import arrays, frames
from .calls import DEFAULT, Answer, Call, Message
from .errors import Stopped, describe
from .frames import ERROR, Frame, encode_texts
from .loop import Loop

#: A run that has taken this long ends with the answer that it has, so that limits of time count for single calls.
_LONGEST_SECONDS = 0.02
_PLANS_KEPT = 256
_MAX_NAMED = 1024

#: Tags and metrics of a call, as JSON text.
Said = Tuple[Optional[str], Optional[str]]


class Step:
    """`enter` makes the component's environment the current one."""

    def __init__(self, loop: Loop, method: int, enter: Callable[[], None]) -> None:
        self.loop = loop
        self.method = method
        self.enter = enter


class Runs:
    """`step` gives the component of a number, asked for a method."""

    def __init__(self, step: Callable[[int, int], Step]) -> None:
        self._step = step
        self._plans: Dict[bytes, List[Step]] = {}

    def answer(self, frame: Frame) -> bytes:
        plan = self._plan(frame.text_b)
        first = plan[0].loop
        times: List[bytes] = []
        said: List[Said] = []
        first.begin(frame)
        try:
            return self._walk(frame, plan, times, said)
        except (frames.ProtocolError, Stopped):
            raise
        except BaseException as error:
            told = {"times": ",".join(str(one, "ascii") for one in times), "said": said[: len(times)]}
            return self._failed(plan[len(times)].loop, frame, error, json.dumps(told).encode("ascii"))
        finally:
            first.end()

    def _walk(self, frame: Frame, plan: List[Step], times: List[bytes], said: List[Said]) -> bytes:
        message = plan[0].loop.message(frame.messages[0], plan[0].method)
        begun = last = time.perf_counter()
        end = len(plan) - 1
        for at, step in enumerate(plan):
            step.enter()
            answer = step.loop.adapter.call(Call(step.method, [message], {}, False))
            value = _numbers(answer.value) if at < end else None
            names = None if value is None else _names(answer, value)
            out = step.loop.answer_message(answer, step.method) if names is None else None
            said.append(step.loop.said(answer, frame))
            now = time.perf_counter()
            times.append(b"%d" % ((now - last) * 1e6))
            last = now
            if out is None and now - begun > _LONGEST_SECONDS:
                out = step.loop.answer_message(answer, step.method)
            if out is not None:
                flags = frames.IS_ABSENT if answer.is_absent else 0
                return frames.encode_response(frame.id, flags, out, (b",".join(times), _said_text(said)))
            message = Message(value, names or [])
        raise AssertionError("a run without an end")

    def _failed(self, loop: Loop, frame: Frame, error: BaseException, told: bytes) -> bytes:
        handled = None
        try:
            handled = loop.adapter.handle_error(error)
        except Exception as other:
            error = other
        return encode_texts(ERROR, frame.id, text_a=describe(error, handled), text_b=told)

    def _plan(self, text: bytes) -> List[Step]:
        """`0:1,1:0`: component and method of each call."""
        plan = self._plans.get(text)
        if plan is None:
            try:
                plan = [self._step(*map(int, part.split(b":"))) for part in text.split(b",")]
            except (TypeError, ValueError, LookupError):
                raise frames.ProtocolError("a run of %r" % text[:80]) from None
            if len(self._plans) >= _PLANS_KEPT:
                self._plans.clear()
            self._plans[text] = plan
        return plan


def _numbers(value: Any) -> Optional[Any]:
    """A copy, which the next component may change; None for what is not the same after a message has carried it."""
    numpy = arrays.numpy
    if numpy is None or not isinstance(value, arrays.ndarray) or isinstance(value, numpy.ma.MaskedArray) or value.ndim == 0 or value.size == 0:
        return None
    if value.dtype == numpy.float64:
        if not numpy.isfinite(value).all():
            return None
    elif value.dtype != numpy.int64:
        return None
    return numpy.array(value, order="C")


def _names(answer: Answer, value: Any) -> Optional[List[str]]:
    """Names of columns as the next component reads them; None where only the message can tell."""
    if value.ndim < 2:
        return []
    names = answer.names
    if names is DEFAULT:
        return None if value.shape[1] > _MAX_NAMED else ["t:%d" % column for column in range(value.shape[1])]
    if isinstance(names, list) and all(type(name) is str for name in names):
        return names.copy()
    return None


def _said_text(said: List[Said]) -> bytes:
    if all(tags is None and metrics is None for tags, metrics in said):
        return b""
    return json.dumps(said).encode("ascii")
