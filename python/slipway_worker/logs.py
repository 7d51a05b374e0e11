"""Standard output, standard error and logging of user code as LOG frames that carry the id of the running request."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
import time
from typing import Any

from .channel import Channel
from .frames import LOG, encode_texts

STDOUT, STDERR = 1, 2
_MAX_LINE = 8192
_LINES_PER_SECOND = 2000


class _Running(threading.local):
    request = b""


class Log:
    """Lines to the server, at most `_LINES_PER_SECOND`; how many were dropped is said when there is room again."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._running = _Running()
        self._window = 0
        self._count = 0

    def set_request(self, request: bytes) -> None:
        """The id of the request that runs in this thread from now on."""
        self._running.request = request

    def line(self, level: int, text: str) -> None:
        window = int(time.monotonic())
        if window != self._window:
            dropped, self._window, self._count = self._count - _LINES_PER_SECOND, window, 0
            if dropped > 0:
                self._send(logging.WARNING, "%d lines of output were dropped: more than %d in a second" % (dropped, _LINES_PER_SECOND))
        self._count += 1
        if self._count <= _LINES_PER_SECOND:
            self._send(level, text)

    def _send(self, level: int, text: str) -> None:
        data = text[:_MAX_LINE].encode("utf-8", "replace")
        self._channel.put_soon(encode_texts(LOG, 0, level, self._running.request, data))


class LineWriter(io.TextIOBase):
    """Stands in for sys.stdout and sys.stderr."""

    def __init__(self, log: Log, level: int) -> None:
        self._log = log
        self._level = level
        self._rest = ""
        self.buffer: Any = _BytesWriter(self)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        return "replace"

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self._level

    def write(self, text: str) -> int:
        lines = (self._rest + text).split("\n")
        self._rest = lines.pop()
        for line in lines:
            self._log.line(self._level, line)
        if len(self._rest) > _MAX_LINE:
            self.flush()
        return len(text)

    def flush(self) -> None:
        rest, self._rest = self._rest, ""
        if rest:
            self._log.line(self._level, rest)


class _BytesWriter(io.RawIOBase):
    def __init__(self, target: LineWriter) -> None:
        self._target = target

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        raw = bytes(data)
        self._target.write(raw.decode("utf-8", "replace"))
        return len(raw)


class FrameHandler(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = "%s: %s" % (record.name, self.format(record))
            self._log.line(min(50, max(10, record.levelno // 10 * 10)), text)
        except Exception:
            self.handleError(record)


def capture(channel: Channel, level: str) -> Log:
    """From here on all output of this process goes to the server; what C code writes goes to the inherited pipes as before."""
    log = Log(channel)
    sys.stdout = LineWriter(log, STDOUT)  # type: ignore[assignment]
    sys.stderr = LineWriter(log, STDERR)  # type: ignore[assignment]
    root = logging.getLogger()
    root.addHandler(FrameHandler(log))
    root.setLevel(level)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: _give_back(channel, root))
    return log


def _give_back(channel: Channel, root: logging.Logger) -> None:
    channel.abandon()
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "wb", closefd=False), encoding="utf-8", line_buffering=True, write_through=True)
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "wb", closefd=False), encoding="utf-8", line_buffering=True, write_through=True)
    root.handlers[:] = [handler for handler in root.handlers if not isinstance(handler, FrameHandler)] or [logging.StreamHandler(sys.stderr)]
