"""TorchScript, exported programs and state dicts with their class, by torch's own exporter."""

from __future__ import annotations

import importlib
import inspect
from typing import Any, Dict, List

from slipway_worker.kinds import load_kind

from .graph import names_of, rename
from .job import Converted, Job, Tensor
from .samples import NoSamples, random_values, read_request


def convert(job: Job) -> Converted:
    torch = importlib.import_module("torch")
    served = load_kind(job.kind, job.path, {})
    example = _example(job)
    answers = served.predict({name: value.copy() for name, value in example.items()})
    names = list(example)
    given = tuple(torch.from_numpy(value.copy()) for value in example.values())
    model = _export(torch, served.module, given, (names, list(answers), job))
    model = rename(model, dict(zip(names_of(model), answers)))
    return Converted(model, served.predict, job.inputs or [_told(name, value) for name, value in example.items()])


def _example(job: Job) -> Dict[str, Any]:
    """Inputs of two rows: what has one row is often taken for a constant."""
    if job.given:
        return read_request(job.given[0], job.inputs)
    if not job.inputs:
        raise NoSamples("the file does not say what the model takes")
    return random_values(job, job.inputs, 2)


def _told(name: str, value: Any) -> Tensor:
    datatype = {"float32": "FP32", "float64": "FP64", "float16": "FP16"}.get(str(value.dtype), str(value.dtype).upper())
    return Tensor(name, datatype, [-1, *value.shape[1:]])


def _export(torch: Any, module: Any, given: Any, about: Any) -> Any:
    names, outputs, job = about
    onnx = importlib.import_module("onnx")
    options: Dict[str, Any] = {"input_names": names, "output_names": outputs, "opset_version": job.opset}
    axes = {name: {0: "batch"} for name in [*names, *outputs]}
    # TorchScript has no Python to trace: only the exporter of TorchScript takes it.
    if isinstance(module, torch.jit.ScriptModule):
        torch.onnx.export(module, given, job.output, dynamic_axes=axes, dynamo=False, **options)
        return onnx.load(job.output)
    options["opset_version"] = max(job.opset, 18)
    shapes = _dynamic(torch, module, names)
    torch.onnx.export(module, given, job.output, dynamic_shapes=shapes, dynamo=True, external_data=False, **options)
    return onnx.load(job.output)


def _dynamic(torch: Any, module: Any, names: List[str]) -> Any:
    """The batch may be of any length. An exported program says of itself which axes are open."""
    parameters = list(inspect.signature(module.forward).parameters)[: len(names)]
    batch = torch.export.Dim("batch", min=1, max=2**20)
    return {name: {0: batch} for name in parameters}
