"""A network's text: its layers in order, and the shapes of its inputs."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Optional, Tuple

_TOKEN = re.compile(r'\s+|#[^\n]*|"(?P<double>(?:[^"\\]|\\.)*)"|\'(?P<single>(?:[^\'\\]|\\.)*)\'|(?P<mark>[{}:;,<>\[\]])|(?P<word>[^\s"\'{}:;,<>\[\]#]+)')

Fields = List[Tuple[str, Any]]


class Layer:
    """One layer: its name, its type, and the blobs that it reads and writes."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.name = str(first(fields, "name", ""))
        self.type = str(first(fields, "type", ""))
        self.tops = [str(value) for value in every(fields, "top")]
        self.bottoms = [str(value) for value in every(fields, "bottom")]

    @property
    def is_for_training(self) -> bool:
        phases = [first(rule, "phase", "") for rule in every(self.fields, "include")]
        return "TRAIN" in phases and "TEST" not in phases


class Network:
    """The layers that predict, the shape of each input blob in their order, and the text without layers for training where it had any."""

    def __init__(self, layers: List[Layer], inputs: Dict[str, List[int]], reduced: Optional[str]) -> None:
        self.layers = layers
        self.inputs = inputs
        self.reduced = reduced


def read_network(path: str) -> Network:
    """@raises ValueError for a text that is damaged."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    spans: List[Tuple[int, int]] = []
    fields = _message(_tokens(text), spans)
    layers: List[Layer] = []
    kept, at = "", 0
    for (name, value), (start, end) in zip(fields, spans):
        if name not in ("layer", "layers") or not isinstance(value, list):
            continue
        layer = Layer(value)
        if not layer.is_for_training:
            layers.append(layer)
            continue
        kept += text[at:start]
        at = end
    return Network(layers, _inputs(fields, layers), None if at == 0 else kept + text[at:])


def _inputs(fields: Fields, layers: List[Layer]) -> Dict[str, List[int]]:
    inputs: Dict[str, List[int]] = {}
    dims = [int(value) for value in every(fields, "input_dim")]
    shapes = every(fields, "input_shape")
    for index, name in enumerate(every(fields, "input")):
        inputs[str(name)] = _dims(shapes[index]) if index < len(shapes) else dims[4 * index : 4 * index + 4]
    for layer in layers:
        if layer.type != "Input":
            continue
        given = every(first(layer.fields, "input_param", []), "shape")
        for index, top in enumerate(layer.tops):
            inputs[top] = _dims(given[min(index, len(given) - 1)]) if given else []
    return inputs


def first(fields: Fields, name: str, otherwise: Any) -> Any:
    return next((value for key, value in fields if key == name), otherwise)


def every(fields: Fields, name: str) -> List[Any]:
    return [value for key, value in fields if key == name]


def _dims(shape: Fields) -> List[int]:
    return [int(value) for value in every(shape, "dim")]


Token = Tuple[str, str, int, int]
"""Kind, text, where it begins and where it ends."""


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError("the network's text is damaged at %r" % text[at : at + 20])
        if found.lastgroup is not None:
            yield ("text" if found.lastgroup in ("double", "single") else found.lastgroup), found.group(found.lastgroup), at, found.end()
        at = found.end()


def _message(tokens: Iterator[Token], spans: List[Tuple[int, int]]) -> Fields:
    """Fields up to the brace that closes the message, or to the end. `spans`: where each of them begins and ends."""
    fields: Fields = []
    name, start, last = "", 0, 0
    for kind, token, begin, end in tokens:
        if kind == "mark" and token in "}>":
            spans.append((begin, end))  # of the brace, for the field that holds the message
            return fields
        if kind == "mark" and token in "{<":
            inner: List[Tuple[int, int]] = []
            fields.append((name, _message(tokens, inner)))
            last = inner[-1][1] if len(inner) > len(fields[-1][1]) else end
            spans.append((start, last))
            name = ""
        elif kind == "mark":
            continue
        elif name == "":
            name, start = token, begin
        else:
            fields.append((name, token))
            spans.append((start, end))
            name = ""
    return fields
