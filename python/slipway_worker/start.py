"""Start-up: handshake, paths, capture of output, loading, then the loop."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from typing import Any, Dict, Optional

from . import frames
from .arena import Arena, open_arena
from .channel import Channel
from .errors import Stopped, describe
from .frames import ERROR, LOAD, PROTOCOL_VERSION, READY, encode_texts
from .logs import Log, capture
from .paths import set_up_limits, set_up_paths
from .settings import Settings

_SOCKET, _INCOMING, _OUTGOING = 3, 4, 5


def main() -> int:
    if sys.path and sys.path[0] == os.path.dirname(os.path.dirname(os.path.abspath(__file__))):
        del sys.path[0]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    sock = socket.socket(fileno=_SOCKET)
    sock.setblocking(True)
    os.set_inheritable(_SOCKET, False)
    channel = Channel(sock)
    first = next(channel.batches(), None)
    if not first:
        return 0
    frame = frames.decode_frame(*first[0])
    if frame.type != LOAD:
        raise frames.ProtocolError("the first frame is of type %d" % frame.type)
    return _serve(channel, frame.text_a)


def _stop(*_: Any) -> None:
    raise Stopped(0)


def _serve(channel: Channel, load: bytes) -> int:
    log: Optional[Log] = None
    try:
        settings = Settings(load)
        set_up_limits(settings)
        set_up_paths(settings)
        if settings.watched:
            # Kept bytecode is told from the source by its size and whole seconds: an edit right after a start would not be seen.
            sys.dont_write_bytecode = True
        log = capture(channel, settings.log_level)
        channel.start()
        adapter, loop, ready = _load(channel, settings)
        arena = _arena(settings)
    except Stopped:
        return 0
    except BaseException as error:
        sys.stdout.flush()
        channel.put(encode_texts(ERROR, text_a=describe(error)))
        channel.flush()
        return 1
    gc.collect()
    gc.freeze()
    ready["shared"] = arena is not None
    channel.put(encode_texts(READY, text_a=json.dumps(ready).encode("utf-8")))
    channel.flush()
    try:
        loop.run(log, arena)
    finally:
        adapter.unload()
    return 0


def _load(channel: Channel, settings: Settings) -> Any:
    from .load import load_adapter  # numpy is looked for here, after the paths are set
    from .loop import Loop, threads_of

    adapter = load_adapter(settings)
    numpy = sys.modules.get("numpy")
    ready: Dict[str, Any] = {
        "protocol": PROTOCOL_VERSION,
        "pid": os.getpid(),
        "python": "%d.%d.%d" % sys.version_info[:3],
        "numpy": getattr(numpy, "__version__", None),
        "methods": list(adapter.methods),
        "rawRest": list(adapter.raw_rest),
        "rawGrpc": list(adapter.raw_grpc),
        "canBatch": adapter.can_batch,
        "metadata": None if adapter.metadata is None else json.dumps(adapter.metadata),
        "signature": adapter.signature,
        "speaksTensors": adapter.speaks_tensors,
        "streams": adapter.streams,
        "asks": list(adapter.asks),
        "threads": max(1, threads_of(adapter, settings)),
    }
    return adapter, Loop(channel, adapter, settings), ready


def _arena(settings: Settings) -> Optional[Arena]:
    if not settings.arena_bytes:
        return None
    for descriptor in (_INCOMING, _OUTGOING):
        os.set_inheritable(descriptor, False)
    return open_arena(_INCOMING, _OUTGOING, settings.arena_bytes)
