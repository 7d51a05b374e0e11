"""A symbol of MXNet with the newest of its parameter files."""

from __future__ import annotations

import glob
import importlib
import re
import threading
from typing import Any, Dict, List, Tuple

from .given import by_name


class MxnetModel:
    def __init__(self, path: str) -> None:
        self._mxnet = importlib.import_module("mxnet")
        prefix = path[: -len("-symbol.json")]
        self._symbol, arguments, states = self._mxnet.model.load_checkpoint(prefix, newest_epoch(prefix))
        self._known: Dict[str, Any] = {**arguments, **states}
        names = [name for name in self._symbol.list_arguments() if name not in self._known]
        self._labels = [name for name in names if name.endswith("_label")]
        self._inputs = [name for name in names if name not in self._labels]
        self._outputs: List[str] = self._symbol.list_outputs()
        self._bound: Dict[Tuple[Any, ...], Any] = {}
        self._lock = threading.Lock()

    def predict(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        given = by_name(inputs, self._inputs)
        shapes = {name: tuple(value.shape) for name, value in given.items()}
        # What one call does to a bound executor another would see.
        with self._lock:
            executor = self._executor(shapes)
            for name, value in given.items():
                executor.arg_dict[name][:] = value
            found = executor.forward(is_train=False)
            return {name: value.asnumpy() for name, value in zip(self._outputs, found)}

    def _executor(self, shapes: Dict[str, Tuple[int, ...]]) -> Any:
        """One executor for each set of shapes: an odd shape breaks nothing for the next call."""
        key = tuple(sorted(shapes.items()))
        if key not in self._bound:
            if len(self._bound) >= 16:
                self._bound.clear()
            executor = self._symbol.simple_bind(self._mxnet.cpu(), grad_req="null", **shapes)
            for name, value in self._known.items():
                for place in (executor.arg_dict, executor.aux_dict):
                    if name in place:
                        place[name][:] = value
            self._bound[key] = executor
        return self._bound[key]


def newest_epoch(prefix: str) -> int:
    """The largest number of the parameter files."""
    found = [re.search(r"-(\d{4,})\.params$", path) for path in glob.glob(glob.escape(prefix) + "-*.params")]
    numbers = [int(one.group(1)) for one in found if one is not None]
    if not numbers:
        raise FileNotFoundError("no %s-NNNN.params is there" % prefix)
    return max(numbers)


def load(path: str) -> MxnetModel:
    return MxnetModel(path)
