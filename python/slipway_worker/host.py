"""The components of one process: one for a model, several for the nodes of a graph that follow each other.

What a node has in a process of its own is kept apart: its environment, and the modules of the user's folder. The rest of the process
(the working directory, loaded packages, generators of random numbers) is one for all.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, Dict, List, Optional, Sequence

from . import frames
from .arena import Arena
from .calls import Adapter
from .channel import Channel
from .frames import CANCEL, REQUEST, RUN, Frame
from .load import load_adapter
from .logs import Log
from .loop import FLUSH_SECONDS, Loop, threads_of
from .runs import Runs, Step
from .settings import Settings

Environment = Dict[Any, Any]


class Component:
    def __init__(self, channel: Channel, settings: Settings, environment: Optional[Environment]) -> None:
        self.environment = environment
        self.adapter: Adapter = load_adapter(settings)
        self.loop = Loop(channel, self.adapter, settings)
        self.threads = threads_of(self.adapter, settings)

    def enter(self) -> None:
        """Its environment is the current one from now on."""
        if self.environment is not None:
            use_environment(self.environment)

    def step(self, method: int) -> Step:
        return Step(self.loop, method, self.enter)

    def facts(self) -> Dict[str, Any]:
        """What READY says of it."""
        adapter = self.adapter
        return {
            "methods": list(adapter.methods),
            "rawRest": list(adapter.raw_rest),
            "rawGrpc": list(adapter.raw_grpc),
            "canBatch": adapter.can_batch,
            "metadata": None if adapter.metadata is None else json.dumps(adapter.metadata),
            "signature": adapter.signature,
            "speaksTensors": adapter.speaks_tensors,
            "streams": adapter.streams,
            "asks": list(adapter.asks),
            "threads": max(1, self.threads),
            "follows": [] if self.threads > 0 else list(adapter.follows),
        }


def load_components(channel: Channel, settings: Settings) -> List[Component]:
    """All of them, in order. What the first one that fails raises goes on."""
    if not settings.others:
        return [Component(channel, settings, None)]
    components: List[Component] = []
    common: Environment = _data_of_environ()
    for one in [settings, *settings.others]:
        forget_modules(one.code_path)
        environment = _with(common, one.env)
        use_environment(environment)
        components.append(Component(channel, one, environment))
    return components


def run(channel: Channel, components: List[Component], log: Log, arena: Optional[Arena]) -> None:
    """Answers until the server closes its end."""
    if len(components) == 1:
        components[0].loop.run(log, arena)
        return
    for component in components:
        component.loop.open(log, arena)
    runs = Runs(lambda number, method: components[number].step(method))
    for batch in channel.batches():
        if len(batch) > 1:
            channel.promise()
        _run_batch(channel, components, runs, [frames.decode_frame(*bounds) for bounds in reversed(batch)])
        channel.flush()


def _run_batch(channel: Channel, components: List[Component], runs: Runs, batch: List[Frame]) -> None:
    """`batch`: the last frame comes first."""
    last = time.monotonic()
    while batch:
        frame = batch.pop()
        if frame.type == REQUEST and frame.method == RUN:
            channel.put(runs.answer(frame))
        else:
            for component in _asked(components, frame):
                component.enter()
                component.loop.run_frame(frame)
        del frame
        now = time.monotonic()
        if now - last > FLUSH_SECONDS:
            channel.flush()
            last = now


def _asked(components: List[Component], frame: Frame) -> Sequence[Component]:
    """A request says whom it is for; that a call is cancelled concerns whoever has it."""
    if frame.type == CANCEL:
        return components
    number = frame.flags >> frames.COMPONENT_SHIFT if frame.type == REQUEST else 0
    if number >= len(components):
        raise frames.ProtocolError("a call of component %d of %d" % (number, len(components)))
    return components[number : number + 1]


def forget_modules(folder: str) -> None:
    """The next import of a module of this folder runs it anew, so that each component has its own."""
    start = os.path.join(os.path.realpath(folder), "")
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name != "__main__" and isinstance(file, str) and _is_users(os.path.realpath(file), start):
            del sys.modules[name]


def _is_users(file: str, start: str) -> bool:
    return file.startswith(start) and not file.startswith(_OWN) and "site-packages" not in file[len(start) :].split(os.sep)


_OWN = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "")


def _data_of_environ() -> Environment:
    data: Environment = os.environ._data  # type: ignore[attr-defined]
    return data


def use_environment(environment: Environment) -> None:
    """`os.environ` shows this one from now on. One assignment, because it stands before every call."""
    os.environ._data = environment  # type: ignore[attr-defined]


def _with(common: Environment, changes: Dict[str, Optional[str]]) -> Environment:
    """A copy in the form in which `os.environ` keeps its entries."""
    own = dict(common)
    for name, value in changes.items():
        key = os.environ.encodekey(name)  # type: ignore[attr-defined]
        if value is None:
            own.pop(key, None)
        else:
            own[key] = os.environ.encodevalue(value)  # type: ignore[attr-defined]
    return own
