"""Start-up: handshake, paths, capture of output, loading, then the loop."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from . import frames
from .arena import Arena, open_arena
from .channel import Channel
from .errors import Stopped, describe
from .frames import ERROR, LOAD, PROTOCOL_VERSION, READY, encode_texts
from .logs import Log, capture
from .paths import set_up_limits, set_up_paths
from .settings import Settings

if TYPE_CHECKING:  # it looks for numpy, which is there only after the paths are set
    from .host import Component

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
        components, ready = _load_all(channel, settings)
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
    from .host import run

    try:
        run(channel, components, log, arena)
    finally:
        for component in components:
            component.adapter.unload()
    return 0


def _load_all(channel: Channel, settings: Settings) -> Tuple[List[Component], Dict[str, Any]]:
    """The components of this process, and what READY says of them."""
    from .host import load_components

    components = load_components(channel, settings)
    numpy = sys.modules.get("numpy")
    first, *others = [component.facts() for component in components]
    ready: Dict[str, Any] = {
        "protocol": PROTOCOL_VERSION,
        "pid": os.getpid(),
        "python": "%d.%d.%d" % sys.version_info[:3],
        "numpy": getattr(numpy, "__version__", None),
        **first,
    }
    if others:
        ready["others"] = others
    return components, ready


def _arena(settings: Settings) -> Optional[Arena]:
    if not settings.arena_bytes:
        return None
    for descriptor in (_INCOMING, _OUTGOING):
        os.set_inheritable(descriptor, False)
    return open_arena(_INCOMING, _OUTGOING, settings.arena_bytes)
