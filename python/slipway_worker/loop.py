"""The worker's loop: frames in, calls of the adapter, frames out."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any, Dict, List, Optional, Tuple

from . import arrays, frames, trace
from .arena import Arena
from .calls import DEFAULT, INFER, PREDICT, SEND_FEEDBACK, Adapter, Answer, Call, Message
from .channel import Bounds, Channel, Linger
from .contracts import protos
from .errors import SeldonMicroserviceException, Stopped, describe
from .event_loop import is_deferred, settled
from .frames import CANCEL, ERROR, RELEASE, REQUEST, Frame, OutMessage, WireMessage, encode_response, encode_texts
from .logs import Log
from .rows import joinable, joinable_requests, split_rows
from .settings import Settings
from .tensor_calls import TensorCalls, extra_of
from .threads import Threads

#: Answers leave together unless the calls take longer than this.
FLUSH_SECONDS = 0.0003
_NAMES_KEPT = 256
_MAX_ANSWER_BYTES = frames.DEFAULT_MAX_FRAME_BYTES - (1 << 20)
#: A table without rows has columns all the same, and each column a name.
_MAX_EMPTY_COLUMNS = 65536


class Loop:
    def __init__(self, channel: Channel, adapter: Adapter, settings: Settings) -> None:
        self._channel = channel
        self.adapter = self._adapter = adapter
        self._log: Optional[Log] = None
        self._arena: Optional[Arena] = None
        self._shared_from = settings.shared_from
        threads = threads_of(adapter, settings)
        self._max_rows = settings.max_batch if adapter.can_batch and threads < 1 else 1
        self._linger = Linger(settings.max_wait_seconds if self._max_rows > 1 else 0.0, self._max_rows, REQUEST, PREDICT)
        self._threads = Threads(threads, self._begin, self._answer_now) if threads > 0 else None
        self._tensors = TensorCalls(adapter, self._data_of, self._borrow, self._out, channel.put_soon)
        self._lock = threading.Lock()
        self._strict = settings.strict
        self._dumps = arrays.make_dumps(settings.sort_keys, settings.ascii_only)
        self._dumps_answer = arrays.make_dumps(settings.sort_keys, settings.ascii_only, settings.strict)
        self._decode_array = arrays.decode_array_typed if settings.typed_arrays else arrays.decode_array
        self._names: Dict[bytes, List[str]] = {}
        self._names_out: Tuple[Any, bytes] = (DEFAULT, b"")
        self._borrowed: List[Tuple[int, Any]] = []
        self._idle_refs = _references([(0, _Probe())])

    def open(self, log: Log, arena: Optional[Arena]) -> None:
        """Comes before the first frame; `run` does it itself."""
        self._log, self._arena = log, arena

    def run(self, log: Log, arena: Optional[Arena]) -> None:
        """Returns when the server closes its end."""
        self.open(log, arena)
        for batch in self._channel.batches(self._linger):
            if len(batch) > 1:
                self._channel.promise()
            self._run_batch(batch)
            self._channel.flush()

    def _run_batch(self, batch: List[Bounds]) -> None:
        last = time.monotonic()
        queue = [frames.decode_frame(*bounds) for bounds in batch]
        at = 0
        while at < len(queue):
            frame = queue[at]
            count = self._joinable(queue, at) if self._max_rows > 1 else 1
            if self._threads is not None and frame.type == REQUEST:
                self._threads.put(frame)
            elif count > 1:
                self._answer_joined(queue[at : at + count])
            elif frame.type == REQUEST:
                self._channel.put(self._answer(frame))
            else:
                self._control(frame)
            queue[at : at + count] = [None] * count  # type: ignore[list-item]
            del frame
            at += count
            if self._borrowed and self._threads is None:
                self._give_back()
            now = time.monotonic()
            if now - last > FLUSH_SECONDS:
                self._channel.flush()
                last = now

    def run_frame(self, frame: Frame) -> None:
        """One frame, without joining rows: for a process with several components, each of which has a loop."""
        if frame.type != REQUEST:
            self._control(frame)
        elif self._threads is not None:
            self._threads.put(frame)
        else:
            self._channel.put(self._answer(frame))
            if self._borrowed:
                self._give_back()

    def _control(self, frame: Frame) -> None:
        if frame.type == CANCEL:
            self._tensors.cancel(frame.id)
            return
        if frame.type != RELEASE:
            raise frames.ProtocolError("a frame of type %d for a worker" % frame.type)
        if self._arena is not None:
            self._arena.give_back(frames.decode_pages(frame.text_a))

    def begin(self, frame: Frame) -> None:
        """The calls of this request begin; lines of the log are its own until `end`."""
        if self._arena is not None and self._threads is None:
            self._arena.begin(frame.id)
        if self._log is not None:
            self._log.set_request(frame.text_a)

    def end(self) -> None:
        if self._log is not None:
            self._log.set_request(b"")
        if self._borrowed and self._threads is None:
            self._give_back()

    def _answer(self, frame: Frame) -> bytes:
        self.begin(frame)
        try:
            extra = extra_of(frame)
            if "traceparent" in extra:
                with trace.attached(extra["traceparent"]):
                    return self._call(frame, extra)
            return self._call(frame, extra)
        except (frames.ProtocolError, Stopped):
            raise
        except BaseException as error:
            return self._encode_error(frame.id, error)
        finally:
            if self._log is not None:
                self._log.set_request(b"")

    def _call(self, frame: Frame, extra: Dict[str, Any]) -> bytes:
        if frame.method == INFER:
            return self._tensors.answer(frame, extra)
        grpc = frame.flags & frames.GRPC != 0
        messages = [self.message(message, frame.method) for message in frame.messages]
        return self._encode(frame, self._adapter.call(Call(frame.method, messages, extra, grpc)))

    def _data_of(self, message: WireMessage) -> frames.Buffer:
        return message.data if message.page < 0 else self._shared(message.page, message.size)

    def _borrow(self, page: int, value: Any) -> None:
        self._borrowed.append((page, value))

    def message(self, message: WireMessage, method: int) -> Message:
        """What a component gets of a message of the wire."""
        kind, datatype, shape, _, names, meta, data, size, page = message
        if page >= 0:
            data = self._shared(page, size)
        known = self._names_of(names) if names else []
        if kind == frames.TENSOR:
            value = arrays.decode_tensor(datatype, shape, data)
            if page >= 0:
                self._borrowed.append((page, value))
            return Message(value, known, meta)
        if page >= 0:
            data = bytes(data)
            self._borrowed.append((page, None))
        return self._other(kind, data, Message(None, known, meta), method)

    def _other(self, kind: int, data: frames.Buffer, message: Message, method: int) -> Message:
        if kind == frames.BYTES:
            message.value = bytes(data)
            message.is_whole = method == PREDICT and "predict" in self._adapter.raw_rest
        elif kind == frames.TEXT:
            message.value = str(data, "utf-8", "surrogatepass")
        elif kind == frames.JSON:
            message.value = json.loads(bytes(data))
        elif kind == frames.ARRAY:
            message.value = self._decode_array(json.loads(bytes(data)))
        elif kind == frames.RAW:
            message.text = str(data, "utf-8", "surrogatepass")
            message.value = json.loads(message.text)
            message.is_whole = True
        elif kind == frames.PROTO:
            message.value = protos.parse(method, bytes(data))
            message.is_whole = True
        elif kind == frames.ANY:
            message.value = protos.parse_any(bytes(data))
        else:
            message.value = arrays.empty_array()
        return message

    def _names_of(self, text: bytes) -> List[str]:
        names = self._names.get(text)
        if names is None:
            names = json.loads(text)
            if len(self._names) >= _NAMES_KEPT:
                self._names.clear()
            self._names[text] = names
        return names.copy()  # user code may change its own

    def _shared(self, page: int, size: int) -> Any:
        if self._arena is None:
            raise frames.ProtocolError("shared data without shared memory")
        return self._arena.read(page, size)

    def _encode(self, frame: Frame, answer: Answer, joined_rows: int = 0) -> bytes:
        flags = (joined_rows << frames.JOINED_SHIFT) | (frames.IS_RAW if answer.is_raw else 0) | (frames.IS_ABSENT if answer.is_absent else 0)
        message = self.answer_message(answer, frame.method, frame.flags & frames.GRPC != 0)
        tags, metrics = self.said(answer, frame)
        if tags is None and metrics is None:
            return encode_response(frame.id, flags, message)
        return encode_response(frame.id, flags, message, ((tags or "").encode("utf-8", "surrogatepass"), (metrics or "").encode("utf-8", "surrogatepass")))

    def answer_message(self, answer: Answer, method: int, is_grpc: bool = False) -> OutMessage:
        """An answer's value and names for the wire."""
        keeps_lists = not is_grpc and method != SEND_FEEDBACK  # protobuf has arrays only
        message = self._payload(answer.value, answer.is_raw, keeps_lists)
        if len(message.shape) < 2 or answer.is_raw:
            return message
        if answer.names is DEFAULT:
            return message._replace(flags=frames.DEFAULT_NAMES)
        return message._replace(names=self._names_text(answer.names))

    def said(self, answer: Answer, frame: Frame) -> Tuple[Optional[str], Optional[str]]:
        """Tags and metrics as JSON text."""
        tags = None if answer.tags is None else self._dumps(answer.tags)
        return tags, None if answer.metrics is None else self._metrics_text(answer.metrics, frame)

    def _metrics_text(self, metrics: List[Any], frame: Frame) -> str:
        """Values may be numpy's own numbers: the original takes them over gRPC, and trips over most of them over REST."""
        try:
            return self._dumps(metrics)
        except TypeError:
            if self._strict and frame.flags & frames.GRPC == 0:
                raise
            return self._dumps([{**metric, "value": arrays.plain_items([metric["value"]])[0]} for metric in metrics])

    def _payload(self, value: Any, is_raw: bool, keeps_lists: bool) -> OutMessage:
        if isinstance(value, arrays.ndarray) or (isinstance(value, list) and not is_raw):
            kind, datatype, shape, data = arrays.encode_array(value, self._dumps, keeps_lists)
            return self._out(kind, data, datatype, shape)
        if isinstance(value, (bytes, bytearray)):
            return self._out(frames.BYTES, bytes(value))
        if is_raw:
            if protos.is_message(value):
                return self._out(frames.PROTO, value.SerializeToString())
            return self._out(frames.RAW, self._dumps(value).encode("utf-8", "surrogatepass"))
        if isinstance(value, str):
            return self._out(frames.TEXT, value.encode("utf-8", "surrogatepass"))
        if isinstance(value, dict):
            return self._out(frames.JSON, self._dumps_answer(value).encode("utf-8", "surrogatepass"))
        if protos.is_any(value):
            return self._out(frames.ANY, protos.any_bytes(value))
        if is_deferred(value):
            return self._payload(settled(value), is_raw, keeps_lists)
        raise SeldonMicroserviceException("Unknown data type returned as payload (must be list or np array):" + str(value))

    def _out(self, kind: int, data: frames.Buffer, datatype: int = 0, shape: Tuple[int, ...] = ()) -> OutMessage:
        size = len(data)
        if size > _MAX_ANSWER_BYTES:
            raise SeldonMicroserviceException("the answer has %d bytes, at most %d are possible" % (size, _MAX_ANSWER_BYTES), 500)
        if len(shape) > 1 and shape[1] > max(size, _MAX_EMPTY_COLUMNS):
            raise SeldonMicroserviceException("the answer has %d columns and %d bytes" % (shape[1], size))
        if size >= self._shared_from and self._arena is not None:
            page = self._arena.write(memoryview(data))
            if page >= 0:
                return OutMessage(kind, datatype, shape, size=size, page=page)
        return OutMessage(kind, datatype, shape, data=data if isinstance(data, bytes) else bytes(data))

    def _names_text(self, names: Any) -> bytes:
        last, text = self._names_out
        if isinstance(names, arrays.ndarray):
            names = names.tolist()
        if type(last) is not type(names) or last != names:
            try:
                text = self._dumps(names).encode("utf-8", "surrogatepass")
            except TypeError:  # a set, a generator, numpy's own numbers
                text = self._dumps(arrays.plain_items(names)).encode("utf-8", "surrogatepass")
            self._names_out = (list(names) if isinstance(names, list) else names, text)
        return text

    def _encode_error(self, frame_id: int, error: BaseException) -> bytes:
        handled = None
        try:
            handled = self._adapter.handle_error(error)
        except Exception as other:
            error = other
        return encode_texts(ERROR, frame_id, text_a=describe(error, handled))

    def _joinable(self, queue: List[Frame], at: int) -> int:
        if self._adapter.joins_requests:
            return joinable_requests(queue, at, self._max_rows)
        return joinable(queue, at, self._max_rows, self._adapter.ignores_meta)

    def _answer_joined(self, group: List[Frame]) -> None:
        if self._adapter.joins_requests:
            self._answer_requests(group)
        else:
            self._answer_rows(group)

    def _answer_requests(self, group: List[Frame]) -> None:
        """Several requests in one call, each with an answer or an error of its own."""
        if self._arena is not None:
            self._arena.begin(group[-1].id)
        answers = self._adapter.predict_requests([self.message(frame.messages[0], PREDICT) for frame in group])
        for index, (frame, answer) in enumerate(zip(group, answers)):
            if isinstance(answer, BaseException):
                self._channel.put(self._encode_error(frame.id, answer))
            else:
                self._channel.put(self._encode_row_answer(frame, answer, len(group) if index == 0 else 0))

    def _answer_rows(self, group: List[Frame]) -> None:
        """Several predictions in one call; one by one when that goes wrong."""
        if self._arena is not None:
            self._arena.begin(group[-1].id)
        parts = None
        try:
            messages = [self.message(frame.messages[0], PREDICT) for frame in group]
            parts = split_rows(self._adapter, messages)
        except frames.ProtocolError:
            raise
        except Exception:
            parts = None
        joined_rows = sum(frame.messages[0].shape[0] for frame in group)
        for index, frame in enumerate(group):
            if parts is None:
                self._channel.put(self._answer(frame))
            else:
                self._channel.put(self._encode_row_answer(frame, parts[index], joined_rows if index == 0 else 0))

    def _encode_row_answer(self, frame: Frame, answer: Answer, joined_rows: int) -> bytes:
        try:
            return self._encode(frame, answer, joined_rows)
        except Exception as error:
            return self._encode_error(frame.id, error)

    def _begin(self, frame: Frame) -> None:
        if self._arena is not None:
            self._arena.begin(frame.id)

    def _answer_now(self, frame: Frame) -> None:
        self._channel.put(self._answer(frame))
        if self._borrowed:
            with self._lock:
                self._give_back()
        self._channel.flush()

    def _give_back(self) -> None:
        """Releases the shared pages that nothing refers to any more; what user code kept is looked at again later."""
        kept: List[Tuple[int, Any]] = []
        free: List[int] = []
        borrowed: List[Tuple[int, Any]] = []
        while self._borrowed:
            borrowed.append(self._borrowed.pop())
        while borrowed:
            if borrowed[-1][1] is not None and _references(borrowed) > self._idle_refs:
                kept.append(borrowed.pop())
            else:
                free.append(borrowed.pop()[0])
        self._borrowed.extend(kept)
        if free:
            self._channel.put(frames.encode_release(free))


#: Calls of an asynchronous class that run at the same time in one worker.
_ASYNC_CALLS = 32


def threads_of(adapter: Adapter, settings: Settings) -> int:
    """Threads that user code runs in; 0 for the main one. A class that streams leaves the main one free to hear that a client has gone."""
    if adapter.is_async:
        return max(settings.threads, _ASYNC_CALLS)
    if settings.threads > 1 or adapter.streams:
        return settings.threads
    return 0


class _Probe:
    pass


def _references(borrowed: List[Tuple[int, Any]]) -> int:
    """References to the last borrowed value, this look included."""
    return sys.getrefcount(borrowed[-1][1])
