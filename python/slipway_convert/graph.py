"""What is done to a converted graph: other names for its inputs and outputs, and no dictionaries among its answers."""

from __future__ import annotations

import importlib
from typing import Any, Dict, List


def rename(model: Any, names: Dict[str, str]) -> Any:
    """Gives inputs and outputs other names, wherever the graph and graphs in it speak of them."""
    graph = model.graph
    changed = {old: new for old, new in names.items() if old != new}
    taken = {name for node in graph.node for name in list(node.input) + list(node.output)} - set(changed)
    for name in taken & set(changed.values()):
        changed[name] = name + "__inner"
    _rename_in(graph, changed)
    return model


def _rename_in(graph: Any, names: Dict[str, str]) -> None:
    for one in list(graph.input) + list(graph.output) + list(graph.value_info):
        one.name = names.get(one.name, one.name)
    for one in graph.initializer:
        one.name = names.get(one.name, one.name)
    for node in graph.node:
        for side in (node.input, node.output):
            for at, name in enumerate(side):
                side[at] = names.get(name, name)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename_in(attribute.g, names)
            for inner in attribute.graphs:
                _rename_in(inner, names)


def without_dictionaries(model: Any, classes: int) -> Any:
    """A ZipMap at the end makes a dictionary of each row, which no tensor is: what goes into it becomes the output."""
    onnx: Any = importlib.import_module("onnx")
    graph = model.graph
    for node in [one for one in graph.node if one.op_type == "ZipMap"]:
        graph.node.remove(node)
        for at, output in enumerate(list(graph.output)):
            if output.name == node.output[0]:
                graph.output.remove(output)
                found = onnx.helper.make_tensor_value_info(node.input[0], onnx.TensorProto.FLOAT, [None, classes or None])
                graph.output.insert(at, found)
                rename(model, {node.input[0]: node.output[0]})
    return model


def names_of(model: Any) -> List[str]:
    return [one.name for one in model.graph.output]
