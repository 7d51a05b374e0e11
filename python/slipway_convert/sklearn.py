"""scikit-learn and skops, by skl2onnx. Numbers become float32; the answers keep the names of the methods that give them."""

from __future__ import annotations

import importlib
from typing import Any, Dict, List

from slipway_worker.kinds import sklearn as loader
from slipway_worker.kinds.given import only

from .graph import names_of, rename
from .job import Converted, Job, Tensor


def convert(job: Job) -> Converted:
    estimator = _estimator(job)
    served = loader.model_of(estimator, "")
    inputs = _inputs(served, estimator)
    skl2onnx = importlib.import_module("skl2onnx")
    is_classifier = importlib.import_module("sklearn.base").is_classifier(estimator)
    options = {id(estimator): {"zipmap": False}} if is_classifier else None
    model = skl2onnx.convert_sklearn(estimator, "model", initial_types=_types(inputs), options=options, target_opset=job.opset)
    methods = _methods(estimator, is_classifier)
    outputs = names_of(model)
    rename(model, dict(zip(outputs, methods)))

    def ask(values: Dict[str, Any]) -> Dict[str, Any]:
        return {method: _answer(loader.model_of(estimator, method), method, values) for method in methods[: len(outputs)]}

    return Converted(model, ask, inputs)


def _estimator(job: Job) -> Any:
    if job.kind == "skops":
        return importlib.import_module("skops.io").load(job.path)
    return loader.read_estimator(job.path, job.allow_pickle)


def _inputs(served: Any, estimator: Any) -> List[Tensor]:
    metadata = getattr(served, "metadata", None)
    if metadata is not None:
        return [Tensor(one["name"], one["datatype"], one["shape"]) for one in metadata["inputs"]]
    width = getattr(estimator, "n_features_in_", None)
    if not isinstance(width, int):
        raise ValueError("the model does not say how many columns it takes")
    return [Tensor("X", "FP32", [-1, width])]


def _types(inputs: List[Tensor]) -> List[Any]:
    types = importlib.import_module("skl2onnx.common.data_types")
    made = []
    for name, datatype, shape in inputs:
        kind = types.StringTensorType if datatype == "BYTES" else types.FloatTensorType
        made.append((name, kind([None, 1] if len(shape) == 1 else [None, shape[1]])))
    return made


def _methods(estimator: Any, is_classifier: bool) -> List[str]:
    if is_classifier:
        return ["predict", "predict_proba" if hasattr(estimator, "predict_proba") else "decision_function"]
    return ["predict" if hasattr(estimator, "predict") else "transform"]


def _answer(served: Any, method: str, values: Dict[str, Any]) -> Any:
    if isinstance(served, loader.SklearnModel):
        found = served.predict(only(values), [])
    else:
        found = served.predict(values)[method]
    # A converted binary classifier scores both classes.
    is_binary = method == "decision_function" and found.ndim == 1
    return importlib.import_module("numpy").stack([-found, found], axis=1) if is_binary else found
