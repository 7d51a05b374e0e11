"""The typed class contract: `predict(self, inputs: dict[str, ndarray]) -> dict[str, ndarray]`.

`predict` may be `async`, and may `yield` several answers. It gets `parameters`, `headers`, `request_id` and `outputs` where it has arguments
of these names. `load` and `unload` are called if they are there. `metadata.json` beside the class says the inputs and outputs in the form
of the Open Inference Protocol; without it the type hints of `predict` may (`hints.py`).
"""

from __future__ import annotations

import inspect
import json
import os
from typing import Any, Dict, Iterator, List, Optional, Sequence

from ..calls import Adapter, Answer, Call, InferCall
from ..errors import SeldonMicroserviceException
from ..event_loop import awaited, is_async_function, is_generator_function, iterate, settled
from ..tensors import TensorSpec, read_specs

ASKED = ("parameters", "headers", "request_id", "outputs")
FILE = "metadata.json"


def is_typed(user_class: Any) -> bool:
    """True when the first argument of `predict` is called `inputs`, and the others are what a request brings, or have defaults."""
    predict = getattr(user_class, "predict", None)
    try:
        parameters = list(inspect.signature(predict).parameters.values()) if callable(predict) else []
    except (TypeError, ValueError):
        return False
    if inspect.isclass(user_class) and parameters:
        parameters = parameters[1:]
    if not parameters or parameters[0].name != "inputs":
        return False
    return all(one.name in ASKED or one.default is not one.empty or one.kind in (one.VAR_KEYWORD,) for one in parameters[1:])


class TypedAdapter(Adapter):
    methods = ("predict",)
    speaks_tensors = True

    def __init__(self, user: Any, metadata: Optional[Dict[str, Any]] = None) -> None:
        self._user = user
        self._predict = user.predict
        names = inspect.signature(self._predict).parameters
        self.asks: Sequence[str] = [name for name in ASKED if name in names]
        self.is_async = is_async_function(self._predict)
        self.streams = is_generator_function(self._predict)
        about = metadata or {}
        self.inputs: List[TensorSpec] = read_specs(about.get("inputs", []))
        self.outputs: List[TensorSpec] = read_specs(about.get("outputs", []))
        self.metadata = metadata
        if self.inputs or self.outputs:
            self.signature = {"inputs": about.get("inputs", []), "outputs": about.get("outputs", [])}

    def call(self, call: Call) -> Answer:
        raise SeldonMicroserviceException("a class of the typed contract answers predictions on named tensors only")

    def infer(self, call: InferCall) -> Iterator[Dict[str, Any]]:
        given = self._predict(call.inputs, **{name: getattr(call, name) for name in self.asks})
        if inspect.isasyncgen(given):
            yield from (self._named(one) for one in iterate(given))
        elif inspect.isgenerator(given):
            yield from (self._named(one) for one in given)
        else:
            yield self._named(awaited(given) if inspect.isawaitable(given) else given)

    def unload(self) -> None:
        unload = getattr(self._user, "unload", None)
        if callable(unload):
            settled(unload())

    def _named(self, value: Any) -> Dict[str, Any]:
        """A dictionary as it is; anything else is the only output."""
        if isinstance(value, dict):
            return value
        if len(self.outputs) > 1:
            raise TypeError("predict gave a %s; it has to give a dictionary of arrays by name" % type(value).__name__)
        return {self.outputs[0].name if self.outputs else "output": value}


def read_metadata(code_path: str, file: str) -> Optional[Dict[str, Any]]:
    """`metadata.json` beside the class, else in the code folder."""
    for folder in (os.path.dirname(os.path.join(code_path, file)), code_path):
        path = os.path.join(folder, FILE)
        if not os.path.isfile(path):
            continue
        with open(path, encoding="utf-8") as opened:
            value = json.load(opened)
        if not isinstance(value, dict):
            raise ValueError("%s: it is no object" % path)
        return value
    return None
