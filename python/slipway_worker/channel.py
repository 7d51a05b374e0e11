"""The worker's end of the socket: whole frames in, queued frames out."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections import deque
from typing import Deque, Iterator, List, Tuple

from .frames import Buffer, frame_length

_READ_BYTES = 256 * 1024
#: How long an answer may wait behind a slow call of the same batch.
_SOON_SECONDS = 0.002

#: Where the type of a frame stands, the method behind it.
_TYPE_AT = 8

Bounds = Tuple[Buffer, int, int]


def _cut(chunk: Buffer) -> Tuple[List[Bounds], Buffer, int]:
    """The whole frames of a chunk, what is left of it, and how many bytes the frame has that begins there; 0 when that is not known."""
    bounds: List[Bounds] = []
    at, size = 0, len(chunk)
    need = 0
    while size - at >= 4:
        need = frame_length(chunk, at)
        if at + need > size:
            break
        bounds.append((chunk, at, at + need))
        at += need
        need = 0
    return bounds, chunk[at:], need


class Linger:
    """How long to wait for company: at most `seconds`, until `frames` requests of method `method` lie ready and nothing else does."""

    def __init__(self, seconds: float, frames: int, kind: int = 1, method: int = 0) -> None:
        self.seconds = seconds
        self._frames = frames
        self._start = bytes((kind, method))

    def applies(self, bounds: List[Bounds]) -> bool:
        if self.seconds <= 0 or len(bounds) >= self._frames:
            return False
        return all(bytes(buffer[at + _TYPE_AT : at + _TYPE_AT + 2]) == self._start for buffer, at, _ in bounds)


NO_LINGER = Linger(0.0, 1)


class Channel:
    """One reader, many writers. `put` queues; `flush` sends all in one call; `put_soon` needs no flush."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._out: Deque[bytes] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self.put = self._out.append
        self.is_open = True

    def start(self) -> None:
        """Starts the two helpers: one sends what waits too long, one ends the process when the server is gone."""
        for target in (self._send_late, self._watch_server):
            threading.Thread(target=target, daemon=True).start()

    def batches(self, linger: Linger = NO_LINGER) -> Iterator[List[Bounds]]:
        """All frames that lie ready, again and again, until the server closes its end; with `linger` also those that come soon."""
        rest: Buffer = b""
        bounds: List[Bounds] = []
        until = 0.0
        while True:
            if bounds and not self._is_readable(until - time.monotonic()):
                yield bounds
                bounds = []
            chunk: Buffer = self._socket.recv(_READ_BYTES)
            if not chunk:
                if bounds:
                    yield bounds
                return
            fresh, rest, need = _cut(b"".join((rest, chunk)) if rest else chunk)
            if fresh and not bounds:
                until = time.monotonic() + linger.seconds
            bounds += fresh
            if bounds and not linger.applies(bounds):
                yield bounds
                bounds = []
            if need - len(rest) > _READ_BYTES:
                yield bounds + [self._read_large(rest, need)]
                rest, bounds = b"", []

    def _is_readable(self, seconds: float) -> bool:
        return seconds > 0 and bool(select.select((self._socket,), (), (), seconds)[0])

    def _read_large(self, start: Buffer, need: int) -> Bounds:
        whole = bytearray(need)
        view = memoryview(whole)
        at = len(start)
        view[:at] = start
        while at < need:
            count = self._socket.recv_into(view[at:])
            if count == 0:
                raise EOFError
            at += count
        return view, 0, need

    def flush(self) -> None:
        if not self._out:
            return
        with self._lock:
            parts: List[bytes] = []
            try:
                while True:
                    parts.append(self._out.popleft())
            except IndexError:
                pass
            if parts and self.is_open:
                self._socket.sendall(parts[0] if len(parts) == 1 else b"".join(parts))

    def put_soon(self, frame: bytes) -> None:
        """For frames that may come from any thread and at any time."""
        self._out.append(frame)
        self.promise()

    def promise(self) -> None:
        """Makes sure that what is queued now or soon leaves within a few milliseconds, whatever the main thread does."""
        if not self._wake.is_set():
            self._wake.set()

    def abandon(self) -> None:
        """In a child that user code forked: the socket belongs to the parent."""
        self.is_open = False
        self._socket.close()

    def _send_late(self) -> None:
        while True:
            self._wake.wait()
            time.sleep(_SOON_SECONDS)
            self._wake.clear()
            try:
                self.flush()
            except OSError:
                return

    def _watch_server(self) -> None:
        poll = select.poll()
        poll.register(self._socket.fileno(), 0)
        poll.poll()
        os._exit(0)
