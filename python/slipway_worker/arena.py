"""Shared memory between the server and a worker: two files without names, one for each direction.

The writer owns the places in its file; the reader gives a place back with a RELEASE frame. The first page of the server's file
is the status page: the worker writes there which request it has begun, and the server reads it when the worker has died.
"""

from __future__ import annotations

import mmap
import os
import threading
from typing import Dict, Iterable, List, Optional

from .frames import PAGE_BYTES, U32, ProtocolError

Buffer = memoryview


class Places:
    """Hands out runs of pages in a few sizes, with a free list for each. Starts over when all have come back."""

    def __init__(self, first: int, limit: int) -> None:
        self._first = first
        self._limit = limit
        self._next = first
        self._free: Dict[int, List[int]] = {}
        self._taken: Dict[int, int] = {}

    def take(self, size: int) -> int:
        """First page of a run that holds `size` bytes, or -1 when there is no room."""
        pages = rounded_pages(size)
        free = self._free.get(pages)
        if free:
            page = free.pop()
        elif self._next + pages <= self._limit:
            page = self._next
            self._next += pages
        else:
            return -1
        self._taken[page] = pages
        return page

    def give_back(self, page: int) -> None:
        pages = self._taken.pop(page, 0)
        if not pages:
            raise ProtocolError("a release of page %d, which is not taken" % page)
        if not self._taken:
            self._next = self._first
            self._free.clear()
        else:
            self._free.setdefault(pages, []).append(page)

    @property
    def taken(self) -> int:
        return len(self._taken)


def rounded_pages(size: int) -> int:
    """Pages for `size` bytes, rounded up to a quarter of a power of two: places fit again, and at most a quarter is wasted."""
    pages = max(1, -(-size // PAGE_BYTES))
    step = max(1, 1 << (pages.bit_length() - 1) >> 2)
    return -(-pages // step) * step


class Arena:
    """`incoming` is mapped once; `outgoing` is written with pwrite, so that a full /dev/shm is an error and not a signal."""

    def __init__(self, incoming: int, outgoing: int, size: int) -> None:
        self._map = mmap.mmap(incoming, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self._view = memoryview(self._map)
        self._outgoing = outgoing
        self._size = size
        self._places = Places(0, size // PAGE_BYTES)
        self._lock = threading.Lock()

    def begin(self, frame_id: int) -> None:
        """Marks a request as begun."""
        U32.pack_into(self._map, 0, frame_id)

    def read(self, page: int, size: int) -> memoryview:
        start = page * PAGE_BYTES
        if page < 1 or start + size > self._size:
            raise ProtocolError("shared data beyond the end of the file")
        return self._view[start : start + size]

    def write(self, data: memoryview) -> int:
        """Copies `data` into a free place; its first page, or -1 when there is no room."""
        with self._lock:
            page = self._places.take(data.nbytes)
        if page < 0:
            return -1
        try:
            at = page * PAGE_BYTES
            rest = data.cast("B") if data.ndim != 1 or data.format != "B" else data
            while rest.nbytes:
                done = os.pwrite(self._outgoing, rest, at)
                rest = rest[done:]
                at += done
        except OSError:
            self.give_back([page])
            return -1
        return page

    def give_back(self, pages: Iterable[int]) -> None:
        """The server has read what lay there."""
        with self._lock:
            for page in pages:
                self._places.give_back(page)


def open_arena(incoming: int, outgoing: int, size: int) -> Optional[Arena]:
    try:
        return Arena(incoming, outgoing, size)
    except (OSError, ValueError):
        return None
