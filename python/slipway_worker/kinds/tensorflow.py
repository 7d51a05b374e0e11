"""Models of TensorFlow: a SavedModel folder, a frozen graph, or a checkpoint with its graph."""

from __future__ import annotations

import importlib
from typing import Any, Dict, List, Optional, Set, Tuple

from .given import by_name, spec, words


class SavedModel:
    def __init__(self, path: str, signature: str = "", tags: str = "") -> None:
        tensorflow = importlib.import_module("tensorflow")
        self._tensorflow = tensorflow
        self._loaded = tensorflow.saved_model.load(path, tags=words(tags) or None)
        names = sorted(self._loaded.signatures)
        chosen = signature or ("serving_default" if "serving_default" in names else names[0] if names else "")
        if chosen not in names:
            raise ValueError('there is no signature "%s" in %s; it has %s' % (chosen, path, ", ".join(names) or "none"))
        self._call = self._loaded.signatures[chosen]
        self._inputs = self._call.structured_input_signature[1]

    @property
    def metadata(self) -> Dict[str, Any]:
        outputs = self._call.structured_outputs
        return {"inputs": _specs(self._inputs), "outputs": _specs(outputs)}

    def predict(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        given = by_name(inputs, list(self._inputs))
        tensors = {name: self._tensor(value, self._inputs[name].dtype) for name, value in given.items()}
        return {name: tensor.numpy() for name, tensor in self._call(**tensors).items()}

    def traced(self) -> Tuple[Any, List[Tuple[str, Any, Any]]]:
        """The signature as a function of its inputs in order, and their names, types and shapes."""
        specs = [(name, one.dtype, one.shape) for name, one in sorted(self._inputs.items())]
        names = [name for name, _, _ in specs]
        return lambda *given: self._call(**dict(zip(names, given))), specs

    def _tensor(self, value: Any, dtype: Any) -> Any:
        if value.dtype == object:
            return self._tensorflow.constant(value.tolist(), dtype)
        return self._tensorflow.cast(value, dtype)


def _specs(tensors: Dict[str, Any]) -> List[Dict[str, Any]]:
    return [spec(name, one.dtype.name, None if one.shape.rank is None else one.shape.as_list()) for name, one in sorted(tensors.items())]


class GraphModel:
    """A graph in a session: tensors by the names that requests give them."""

    def __init__(self, session: Any, inputs: Dict[str, Any], outputs: Dict[str, Any]) -> None:
        if not outputs:
            raise ValueError("nothing says what the outputs of the graph are: name them with the parameter outputs")
        self.session = session
        needed = _ancestors(list(outputs.values()))
        self.inputs = {name: tensor for name, tensor in inputs.items() if tensor.op.name in needed}
        self.outputs = outputs

    @property
    def metadata(self) -> Dict[str, Any]:
        required = {name: tensor for name, tensor in self.inputs.items() if tensor.op.type != "PlaceholderWithDefault"}
        return {"inputs": _tensor_specs(required or self.inputs), "outputs": _tensor_specs(self.outputs)}

    def predict(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        given = by_name({_node(name): value for name, value in inputs.items()}, list(self.inputs))
        feeds = {self.inputs[name]: _cast(value, self.inputs[name]) for name, value in given.items()}
        found: Dict[str, Any] = self.session.run(self.outputs, feeds)
        return found

    def unload(self) -> None:
        self.session.close()


def _node(name: str) -> str:
    """TensorFlow calls the first output of a node `x:0`."""
    return name[:-2] if name.endswith(":0") else name


def _cast(value: Any, tensor: Any) -> Any:
    return value if value.dtype == object else value.astype(tensor.dtype.base_dtype.as_numpy_dtype)


def _tensor_specs(tensors: Dict[str, Any]) -> List[Dict[str, Any]]:
    return [spec(name, one.dtype.base_dtype.name, _shape(one)) for name, one in tensors.items()]


def _shape(tensor: Any) -> Optional[List[Optional[int]]]:
    """Graphs of TensorFlow 1.1 and older do not state shapes; what is multiplied by a matrix has rows as long as that is high."""
    if tensor.shape.rank is not None:
        found: List[Optional[int]] = tensor.shape.as_list()
        return found
    for one in tensor.consumers():
        if one.type == "MatMul" and one.inputs[0] is tensor and not one.get_attr("transpose_a") and one.inputs[1].shape.rank == 2:
            return [None, one.inputs[1].shape.as_list()[1 if one.get_attr("transpose_b") else 0]]
    return None


def _ancestors(tensors: List[Any]) -> Set[str]:
    """Names of the operations that tensors depend on, their own among them."""
    found: Set[str] = set()
    open_ = [tensor.op for tensor in tensors]
    while open_:
        one = open_.pop()
        if one.name not in found:
            found.add(one.name)
            open_.extend(tensor.op for tensor in one.inputs)
    return found


def _places(graph: Any) -> Dict[str, Any]:
    """Placeholders, without those of savers."""
    return {one.name: one.outputs[0] for one in graph.get_operations() if one.type.startswith("Placeholder") and not one.name.startswith("save/")}


def _named(graph: Any, names: List[str]) -> Dict[str, Any]:
    return {_node(name): graph.get_tensor_by_name(name if ":" in name else name + ":0") for name in names}


_DETECTIONS = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")


def _detections(graph: Any) -> List[str]:
    """The outputs of the object detection API; none in a graph of another kind."""
    names = {one.name for one in graph.get_operations()}
    found = [name for name in _DETECTIONS if name in names]
    return found if len([name for name in found if name.startswith("detection_")]) == 3 else []


_NO_ANSWER = ("NoOp", "Assert", "Assign", "Placeholder", "Restore", "Save", "Variable", "VarHandle")


def _ends(graph: Any) -> List[str]:
    """Nodes that nobody takes values from."""
    ends = [one for one in graph.get_operations() if one.outputs and not any(output.consumers() for output in one.outputs)]
    return [one.name for one in ends if not one.type.startswith(_NO_ANSWER)]


def load_saved_model(path: str, signature: str = "", tags: str = "") -> Any:
    """Objects of TensorFlow 2 first. Those of a release that this one cannot restore are of no need: their graph runs in a session."""
    try:
        return SavedModel(path, signature, tags)
    except AttributeError:
        return _in_session(path, signature, tags)


def _in_session(path: str, signature: str, tags: str) -> GraphModel:
    v1 = importlib.import_module("tensorflow").compat.v1
    graph, session = _session(v1)
    with graph.as_default():
        meta = v1.saved_model.loader.load(session, words(tags) or ["serve"], path)
    found = meta.signature_def
    name = signature or ("serving_default" if "serving_default" in found else next(iter(sorted(found)), ""))
    if name not in found:
        raise ValueError('there is no signature "%s" in %s; it has %s' % (name, path, ", ".join(sorted(found)) or "none"))

    def tensors(infos: Any) -> Dict[str, Any]:
        return {key: graph.get_tensor_by_name(info.name) for key, info in infos.items()}

    return GraphModel(session, tensors(found[name].inputs), tensors(found[name].outputs))


def load_graph(path: str, outputs: str = "") -> GraphModel:
    v1 = importlib.import_module("tensorflow").compat.v1
    definition = v1.GraphDef()
    with open(path, "rb") as opened:
        definition.ParseFromString(opened.read())
    graph, session = _session(v1)
    with graph.as_default():
        v1.import_graph_def(definition, name="")
    return GraphModel(session, _places(graph), _named(graph, words(outputs) or _detections(graph) or _ends(graph)))


def load_checkpoint(path: str, outputs: str = "") -> GraphModel:
    """`path` is the index of a tensor bundle, or the file of the format before it. Inferred shapes in old graphs are wrong for today's release."""
    v1 = importlib.import_module("tensorflow").compat.v1
    prefix = path[: -len(".index")] if path.endswith(".index") else path
    meta = v1.MetaGraphDef()
    with open(prefix + ".meta", "rb") as opened:
        meta.ParseFromString(opened.read())
    for node in meta.graph_def.node:
        node.attr.pop("_output_shapes", None)
    graph, session = _session(v1)
    with graph.as_default():
        saver = v1.train.import_meta_graph(meta, clear_devices=True)
        saver.restore(session, prefix)
    return GraphModel(session, _places(graph), _named(graph, words(outputs) or _detections(graph) or _answers(graph)))


_ANSWERS = ("Softmax", "Sigmoid", "ArgMax", "LogSoftmax")
_TRAINING = ("gradients/", "save/", "loss", "cost", "metrics/")
_LOSSES = ("SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits", "SquaredDifference")
_SAME = ("Identity", "Reshape", "StopGradient", "Cast")


def _answers(graph: Any) -> List[str]:
    """Of a training graph what looks like an answer, else what its losses compare with labels, never the loss itself."""
    forward = [one for one in graph.get_operations() if not one.name.startswith(_TRAINING)]
    found = [one.name for one in forward if one.type in _ANSWERS]
    return found or sorted({_compared(one) for one in forward if one.type in _LOSSES})


def _compared(loss: Any) -> str:
    """The side of a loss that is no label, before it was only brought into another form."""
    sides = [_made(tensor.op) for tensor in loss.inputs]
    kept = [one for one in sides if not one.type.startswith("Placeholder")]
    return str((kept or sides)[0].name)


def _made(operation: Any) -> Any:
    while operation.type in _SAME:
        operation = operation.inputs[0].op
    return operation


def _session(v1: Any) -> Tuple[Any, Any]:
    graph = v1.Graph()
    return graph, v1.Session(graph=graph, config=_config(v1))


def _config(v1: Any) -> Optional[Any]:
    return v1.ConfigProto(allow_soft_placement=True)
