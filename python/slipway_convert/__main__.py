"""`python -m slipway_convert JOB`: converts, writes the file and what comparing it found. Nothing of the frameworks is on standard output."""

from __future__ import annotations

import importlib
import json
import os
import sys
import warnings
from typing import Any, Dict

# The folder of this file has modules that are called like frameworks.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from slipway_convert.compare import compare
from slipway_convert.job import Job, read_job
from slipway_convert.samples import NoSamples
from slipway_worker.errors import PickleRefused

_FAMILIES = {
    "sklearn": "sklearn",
    "skops": "sklearn",
    "xgboost": "trees",
    "lightgbm": "trees",
    "catboost": "trees",
    "keras": "tensorflow",
    "tf-savedmodel": "tensorflow",
    "tf-frozen-graph": "tensorflow",
    "tf-checkpoint": "tensorflow",
    "tflite": "tensorflow",
    "pytorch": "torch",
}


def main(path: str) -> None:
    job = read_job(path)
    try:
        report = _work(job)
    except PickleRefused as error:
        report = {"failed": "pickle", "why": str(error)}
    except NoSamples as error:
        report = {"failed": "samples", "why": str(error)}
    except Exception as error:  # whatever a converter raises is what the user has to know
        report = {"failed": "convert", "why": "%s: %s" % (type(error).__name__, (str(error).strip() or "nothing was said").splitlines()[0][:500])}
        importlib.import_module("traceback").print_exc()
    with open(job.report, "w", encoding="utf-8") as opened:
        json.dump(report, opened)


def _work(job: Job) -> Dict[str, Any]:
    onnx = importlib.import_module("onnx")
    converted = importlib.import_module("slipway_convert.%s" % _FAMILIES[job.kind]).convert(job)
    onnx.checker.check_model(converted.model)
    onnx.save(converted.model, job.output)
    differences = compare(job, converted)
    graph = converted.model.graph
    names = {one.name for one in graph.initializer}
    return {
        "opset": max((one.version for one in converted.model.opset_import if one.domain in ("", "ai.onnx")), default=0),
        "inputs": [one.name for one in graph.input if one.name not in names],
        "outputs": [one.name for one in graph.output],
        "differences": differences,
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    main(sys.argv[1])
