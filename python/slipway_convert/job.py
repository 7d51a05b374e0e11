"""What is asked for, and what a converter gives."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, NamedTuple, Optional

#: What the model answers, by the names of the converted one's outputs.
Ask = Callable[[Dict[str, Any]], Dict[str, Any]]


class Tensor(NamedTuple):
    """Name, datatype of the Open Inference Protocol, and shape with -1 for an axis of any length."""

    name: str
    datatype: str
    shape: List[int]


class Job(NamedTuple):
    kind: str
    #: The file or folder of the model, absolute.
    path: str
    #: Where the ONNX file goes.
    output: str
    #: Where what was found goes, as JSON.
    report: str
    opset: int
    #: What the files say of the inputs; empty when they do not.
    inputs: List[Tensor]
    #: Arguments of the loader, such as `signature`.
    parameters: Dict[str, Any]
    allow_pickle: List[str]
    #: Files with inputs to compare on, as V2 requests.
    given: List[str]
    #: Shapes for inputs whose axes are not all known.
    shapes: Dict[str, List[int]]
    seed: int


class Converted(NamedTuple):
    #: An `onnx.ModelProto`.
    model: Any
    ask: Ask
    #: What requests may hold, where the loaded model says more than its files.
    inputs: Optional[List[Tensor]] = None


def read_job(path: str) -> Job:
    with open(path, encoding="utf-8") as opened:
        value = json.load(opened)
    value["inputs"] = [Tensor(one["name"], one["datatype"], one["shape"]) for one in value["inputs"]]
    return Job(**value)
