"""SavedModels, frozen graphs, checkpoints and Keras, by tf2onnx."""

from __future__ import annotations

import importlib
from typing import Any, Callable, Dict, List

from slipway_worker.kinds import load_kind

from .graph import names_of, rename
from .job import Converted, Job, Tensor


def convert(job: Job) -> Converted:
    if job.kind == "tflite":
        return _lite(job)
    served = load_kind(job.kind, job.path, job.parameters)
    about = served.metadata
    inputs = [Tensor(one["name"], one["datatype"], one["shape"]) for one in about["inputs"]]
    if hasattr(served, "session"):
        return Converted(_from_session(job, served), served.predict, inputs)
    return Converted(_from_calls(job, served, [one["name"] for one in about["outputs"]]), served.predict, inputs)


def _from_session(job: Job, served: Any) -> Any:
    """A graph in a session, whose variables become constants."""
    v1 = importlib.import_module("tensorflow").compat.v1
    needed = {one["name"] for one in served.metadata["inputs"]}
    inputs = {name: tensor for name, tensor in served.inputs.items() if name in needed}
    with served.session.graph.as_default():
        names = [tensor.op.name for tensor in served.outputs.values()]
        frozen = v1.graph_util.convert_variables_to_constants(served.session, served.session.graph.as_graph_def(), names)
    convert_graph = importlib.import_module("tf2onnx.convert").from_graph_def
    tensors = ([tensor.name for tensor in side.values()] for side in (inputs, served.outputs))
    model, _ = convert_graph(frozen, "model", *tensors, opset=job.opset)
    return _named(model, {tensor.name: name for name, tensor in [*inputs.items(), *served.outputs.items()]})


def _from_calls(job: Job, served: Any, outputs: List[str]) -> Any:
    """A Keras model or a signature, which is called with one tensor for each input, in order."""
    tensorflow = importlib.import_module("tensorflow")
    call, specs = served.traced()
    given = [tensorflow.TensorSpec(shape, dtype, "slipway_in_%d" % at) for at, (_, dtype, shape) in enumerate(specs)]
    model, _ = importlib.import_module("tf2onnx.convert").from_function(tensorflow.function(call), given, opset=job.opset)
    names = {"slipway_in_%d%s" % (at, end): name for at, (name, _, _) in enumerate(specs) for end in ("", ":0")}
    return _named(model, {**names, **dict(zip(names_of(model), outputs))})


def _lite(job: Job) -> Converted:
    """TensorFlow Lite, which we do not serve: its own interpreter answers for it."""
    interpreter = importlib.import_module("tensorflow").lite.Interpreter(model_path=job.path)
    interpreter.allocate_tensors()
    sides = (interpreter.get_input_details(), interpreter.get_output_details())
    convert_file = importlib.import_module("tf2onnx.convert").from_tflite
    model, _ = convert_file(job.path, opset=job.opset)
    names = names_of(model)

    def ask(values: Dict[str, Any]) -> Dict[str, Any]:
        for one in sides[0]:
            interpreter.resize_tensor_input(one["index"], list(values[one["name"]].shape))
        interpreter.allocate_tensors()
        for one in sides[0]:
            interpreter.set_tensor(one["index"], values[one["name"]].astype(one["dtype"]))
        interpreter.invoke()
        found = {one["name"]: interpreter.get_tensor(one["index"]) for one in sides[1]}
        return found if set(found) == set(names) else dict(zip(names, found.values()))

    return Converted(model, ask)


def _named(model: Any, names: Dict[str, str]) -> Any:
    known: Callable[[str], bool] = {one.name for one in [*model.graph.input, *model.graph.output]}.__contains__
    return rename(model, {old: new for old, new in names.items() if known(old)})
