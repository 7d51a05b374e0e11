"""Row batching: predictions that wait at the same time, joined along axis 0 for one call of user code.

A batch forms of requests that lay ready together, and of those that came within `maxWaitMs` of the first; without
that setting a lone request never waits.
"""

from __future__ import annotations

from typing import Any, List, Optional, Sequence

from . import arrays, frames
from .calls import PREDICT, Adapter, Answer, Message
from .frames import Frame


def joinable(queue: Sequence[Frame], start: int, max_rows: int, ignores_meta: bool) -> int:
    """How many frames from `start` on can be joined: predictions of equal datatype, trailing axes, names and transport. A request
    with `meta` stays alone unless user code does not look at it."""
    first = queue[start]
    if arrays.numpy is None or not _is_rows(first, ignores_meta):
        return 1
    head = first.messages[0]
    rows = head.shape[0]
    count = 1
    while start + count < len(queue):
        frame = queue[start + count]
        if not _is_rows(frame, ignores_meta) or frame.flags != first.flags:
            break
        message = frame.messages[0]
        same = message.datatype == head.datatype and message.shape[1:] == head.shape[1:] and message.names == head.names
        if not same or rows + message.shape[0] > max_rows:
            break
        rows += message.shape[0]
        count += 1
    return count


def _is_rows(frame: Frame, ignores_meta: bool) -> bool:
    if frame.type != frames.REQUEST or frame.method != PREDICT or len(frame.messages) != 1:
        return False
    message = frame.messages[0]
    return message.kind == frames.TENSOR and len(message.shape) > 1 and message.page < 0 and (ignores_meta or not message.meta)


def joinable_requests(queue: Sequence[Frame], start: int, most: int) -> int:
    """How many predictions lie ready from `start` on, whatever they hold."""
    count = 0
    while count < most and start + count < len(queue) and _is_prediction(queue[start + count]):
        count += 1
    return max(1, count)


def _is_prediction(frame: Frame) -> bool:
    return frame.type == frames.REQUEST and frame.method == PREDICT and len(frame.messages) == 1


def split_rows(adapter: Adapter, messages: Sequence[Message]) -> Optional[List[Answer]]:
    """One answer for each message, or None when the joined answer does not have as many rows as went in."""
    counts = [int(message.value.shape[0]) for message in messages]
    joined = arrays.numpy.concatenate([message.value for message in messages])
    result: Any = adapter.predict_rows(joined, messages[0].names)
    if not isinstance(result, (arrays.ndarray, list)) or arrays.rows_in(result) != sum(counts):
        return None
    whole = result if isinstance(result, list) else arrays.numpy.asarray(result)
    answers: List[Answer] = []
    at = 0
    for count in counts:
        answers.append(adapter.finish_rows(whole[at : at + count]))
        at += count
    return answers
