"""Calls of the method `infer`: frames of named tensors in, one or more frames of named tensors out."""

from __future__ import annotations

import json
import threading
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

from . import frames
from .calls import Adapter, InferCall
from .errors import SeldonMicroserviceException
from .frames import HAS_MORE, TENSOR, Buffer, Frame, OutMessage, WireMessage, encode_tensors
from .tensors import TensorSpec, decode_input, encode_outputs

#: Ids of cancelled calls that are remembered; a call that ended meanwhile is never looked for.
_CANCELLED_KEPT = 1024


class TensorCalls:
    """`read` gives the bytes of a message, in shared memory or not; `out` puts bytes where they travel; `send` queues a frame that is not the last."""

    def __init__(
        self,
        adapter: Adapter,
        read: Callable[[WireMessage], Buffer],
        borrow: Callable[[int, Any], None],
        out: Callable[[int, Buffer, int, Tuple[int, ...]], OutMessage],
        send: Callable[[bytes], None],
    ) -> None:
        self._adapter = adapter
        self._read = read
        self._borrow = borrow
        self._out = out
        self._send = send
        self._specs: Dict[str, TensorSpec] = {spec.name: spec for spec in getattr(adapter, "outputs", ())}
        self._cancelled: Set[int] = set()
        self._lock = threading.Lock()

    def cancel(self, frame_id: int) -> None:
        """Nobody waits for the answers of this call any more."""
        with self._lock:
            if len(self._cancelled) >= _CANCELLED_KEPT:
                self._cancelled.clear()
            self._cancelled.add(frame_id)

    def answer(self, frame: Frame, extra: Dict[str, Any]) -> bytes:
        """The last frame of the answer; those before it are sent."""
        wanted = extra.get("outputs")
        about = {str(one.names, "utf-8", "surrogatepass"): json.loads(one.meta) for one in frame.messages if one.meta}
        inputs, request_id = self._inputs(frame), str(frame.text_a, "utf-8")
        is_json, is_streamed = extra.get("isJson") is True, extra.get("isStreamed") is True
        call = InferCall(inputs, extra.get("parameters"), extra.get("headers"), request_id, wanted, about, is_json, is_streamed)
        answers = self._adapter.infer(call)
        del call
        if not self._adapter.streams:
            every = list(answers)
            if len(every) != 1:
                raise TypeError("predict gave %d answers without being a generator function itself" % len(every))
            return encode_tensors(frame.id, 0, encode_outputs(every[0], self._specs, wanted, self._out), parameters_of(every[0]))
        self._stream(frame.id, answers, wanted)
        return encode_tensors(frame.id, 0, [])

    def _stream(self, frame_id: int, answers: Iterator[Dict[str, Any]], wanted: Optional[List[str]]) -> None:
        try:
            for outputs in answers:
                if self._is_cancelled(frame_id):
                    return
                self._send(encode_tensors(frame_id, HAS_MORE, encode_outputs(outputs, self._specs, wanted, self._out), parameters_of(outputs)))
        finally:
            close = getattr(answers, "close", None)
            if close is not None:
                close()

    def _is_cancelled(self, frame_id: int) -> bool:
        if not self._cancelled:
            return False
        with self._lock:
            found = frame_id in self._cancelled
            self._cancelled.discard(frame_id)
            return found

    def _inputs(self, frame: Frame) -> Dict[str, Any]:
        inputs: Dict[str, Any] = {}
        for message in frame.messages:
            name = str(message.names, "utf-8", "surrogatepass")
            if message.kind != TENSOR:
                raise frames.ProtocolError("a message of kind %d among tensors" % message.kind)
            if name in inputs:
                raise SeldonMicroserviceException('the input "%s" is there twice' % name)
            inputs[name] = decode_input(message.datatype, message.shape, self._read(message))
            if message.page >= 0:
                self._borrow(message.page, inputs[name])
        return inputs


def parameters_of(outputs: Any) -> bytes:
    """What a class says beside its outputs, as JSON; empty for nothing."""
    parameters = getattr(outputs, "parameters", None)
    return json.dumps(parameters).encode("ascii") if parameters else b""


def extra_of(frame: Frame) -> Dict[str, Any]:
    """Text B of a request."""
    if not frame.text_b:
        return {}
    extra: Dict[str, Any] = json.loads(frame.text_b)
    return extra
