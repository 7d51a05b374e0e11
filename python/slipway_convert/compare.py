"""The same question to both models, and how far their answers are apart."""

from __future__ import annotations

import importlib
from typing import Any, Dict, List

from .job import Ask, Converted, Job, Tensor
from .samples import Sample, samples_for


def compare(job: Job, converted: Converted) -> List[Dict[str, Any]]:
    """One entry an output and a sample. `maxAbs` is the largest difference; `maxRel` that of each number by its own size, at least 1."""
    runtime = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session = runtime.InferenceSession(job.output, options, providers=["CPUExecutionProvider"])
    inputs = converted.inputs or job.inputs or [_told(one) for one in session.get_inputs()]
    found: List[Dict[str, Any]] = []
    for sample in samples_for(job, inputs):
        found.extend(_differences(sample, session, converted.ask))
    return found


_TYPES = {"tensor(string)": "BYTES", "tensor(float)": "FP32", "tensor(double)": "FP64", "tensor(float16)": "FP16", "tensor(bool)": "BOOL"}


def _told(one: Any) -> Tensor:
    datatype = _TYPES.get(one.type) or one.type[len("tensor(") : -1].upper()
    return Tensor(one.name, datatype, [axis if isinstance(axis, int) else -1 for axis in one.shape])


def _differences(sample: Sample, session: Any, ask: Ask) -> List[Dict[str, Any]]:
    numpy = importlib.import_module("numpy")
    wanted = ask({name: value.copy() for name, value in sample.values.items()})
    feeds = {one.name: _fed(numpy, sample.values, one) for one in session.get_inputs()}
    names = [one.name for one in session.get_outputs()]
    answers = dict(zip(names, session.run(names, feeds)))
    return [{"sample": sample.source, "output": name, **_difference(numpy, wanted[name], answers[name])} for name in names if name in wanted]


def _fed(numpy: Any, values: Dict[str, Any], one: Any) -> Any:
    """A tensor in the datatype and the number of axes of the converted model's input."""
    value = values[one.name] if one.name in values or len(values) > 1 else next(iter(values.values()))
    if one.type == "tensor(string)":
        value = value.astype(object)
    else:
        value = value.astype({"float": "float32", "double": "float64"}.get(one.type[7:-1], one.type[7:-1]))
    if value.ndim == 1 and len(one.shape) == 2:
        value = value.reshape(-1, 1)
    return numpy.ascontiguousarray(value) if value.ndim else value


def _difference(numpy: Any, wanted: Any, answer: Any) -> Dict[str, Any]:
    want, have = numpy.asarray(wanted), numpy.asarray(answer)
    if want.size != have.size:
        return {"count": int(have.size), "why": "its shape is %s, and the model's %s" % (list(have.shape), list(want.shape))}
    want, have = want.reshape(-1), have.reshape(-1)
    if want.dtype.kind in "OSU" or have.dtype.kind in "OSU":
        wrong = sum(_text(one) != _text(other) for one, other in zip(want.tolist(), have.tolist()))
        return {"count": int(want.size), "different": int(wrong)}
    want, have = want.astype("float64"), have.astype("float64")
    if not bool((numpy.isfinite(want) == numpy.isfinite(have)).all()):
        return {"count": int(want.size), "why": "one has numbers where the other has none"}
    both = numpy.isfinite(want)
    apart = numpy.abs(want[both] - have[both])
    size = numpy.maximum(1.0, numpy.abs(want[both]))
    return {"count": int(want.size), "maxAbs": float(apart.max(initial=0.0)), "maxRel": float((apart / size).max(initial=0.0))}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
