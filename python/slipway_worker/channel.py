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

Bounds = Tuple[Buffer, int, int]


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

    def batches(self) -> Iterator[List[Bounds]]:
        """All frames that lie ready, again and again, until the server closes its end."""
        rest: Buffer = b""
        while True:
            chunk: Buffer = self._socket.recv(_READ_BYTES)
            if not chunk:
                return
            if rest:
                chunk = b"".join((rest, chunk))
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
            if bounds:
                yield bounds
            rest = chunk[at:]
            if need - len(rest) > _READ_BYTES:
                yield [self._read_large(rest, need)]
                rest = b""

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
