"""Several calls of user code at a time in one worker, for code that waits for something else (`GUNICORN_THREADS`)."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from queue import SimpleQueue
from typing import Callable, List

from .frames import Frame


class Threads:
    """`count` threads that take frames in order: `begin` is called in that order, `answer` at the same time as others."""

    def __init__(self, count: int, begin: Callable[[Frame], None], answer: Callable[[Frame], None]) -> None:
        self._queue: SimpleQueue[Frame] = SimpleQueue()
        self._taking = threading.Lock()
        self._begin = begin
        self._answer = answer
        self.put = self._queue.put
        self._threads: List[threading.Thread] = [threading.Thread(target=self._run, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        try:
            while True:
                with self._taking:
                    frame = self._queue.get()
                    self._begin(frame)
                self._answer(frame)
                del frame
        except BaseException:  # a broken connection: the process has nothing left to do
            traceback.print_exc(file=sys.__stderr__)
            os._exit(1)
