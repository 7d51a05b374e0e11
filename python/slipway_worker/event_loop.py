"""What user code that is asynchronous, or gives its answer in pieces, comes to."""

from __future__ import annotations

import inspect
import threading
from typing import TYPE_CHECKING, Any, AsyncIterator, Iterator, Optional

if TYPE_CHECKING:  # its import takes a good part of the start of a worker, and most classes need no loop
    import asyncio

_lock = threading.Lock()
_loop: Optional[asyncio.AbstractEventLoop] = None


def event_loop() -> asyncio.AbstractEventLoop:
    """The one event loop of this worker, in a thread of its own; started when it is asked for first."""
    import asyncio

    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, daemon=True).start()
        return _loop


def is_deferred(value: Any) -> bool:
    """True for a coroutine, a generator, and what is like them."""
    return inspect.isawaitable(value) or inspect.isasyncgen(value) or inspect.isgenerator(value)


def settled(value: Any) -> Any:
    """The value itself, or what it comes to: a coroutine is awaited, a generator collected into a list."""
    if inspect.isgenerator(value):
        return list(value)
    if inspect.isasyncgen(value):
        return list(iterate(value))
    return awaited(value) if inspect.isawaitable(value) else value


def awaited(value: Any) -> Any:
    """Waits for a coroutine on the event loop."""
    import asyncio

    return asyncio.run_coroutine_threadsafe(_wait_for(value), event_loop()).result()


async def _wait_for(value: Any) -> Any:
    return await value


def iterate(pieces: AsyncIterator[Any]) -> Iterator[Any]:
    """An asynchronous generator as a plain one; closed when the plain one is."""
    try:
        while True:
            try:
                yield awaited(pieces.__anext__())
            except StopAsyncIteration:
                return
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            awaited(close())


def is_async_function(function: Any) -> bool:
    """True for `async def`, with `yield` or without."""
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def is_generator_function(function: Any) -> bool:
    """True for a function with `yield`, asynchronous or not."""
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
