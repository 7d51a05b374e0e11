"""XGBoost and LightGBM by onnxmltools, CatBoost by itself."""

from __future__ import annotations

import importlib
from typing import Any, Dict

from slipway_worker.kinds import load_kind
from slipway_worker.kinds.given import only

from .graph import names_of, rename, without_dictionaries
from .job import Converted, Job, Tensor

#: The newest that onnxmltools writes.
_NEWEST_OPSET = 15


def convert(job: Job) -> Converted:
    return {"xgboost": _xgboost, "lightgbm": _lightgbm, "catboost": _catboost}[job.kind](job)


def _xgboost(job: Job) -> Converted:
    booster = load_kind("xgboost", job.path, {}).booster
    width = booster.num_features()
    booster.feature_names = None
    booster.feature_types = None
    model = importlib.import_module("onnxmltools").convert_xgboost(booster, initial_types=_types(width), target_opset=min(job.opset, _NEWEST_OPSET))
    matrix = importlib.import_module("xgboost").DMatrix
    return _converted(model, width, lambda rows: booster.predict(matrix(rows)))


def _lightgbm(job: Job) -> Converted:
    booster = load_kind("lightgbm", job.path, {}).booster
    width = booster.num_feature()
    convert_lightgbm = importlib.import_module("onnxmltools").convert_lightgbm
    model = convert_lightgbm(booster, initial_types=_types(width), zipmap=False, target_opset=min(job.opset, _NEWEST_OPSET))
    return _converted(model, width, booster.predict)


def _catboost(job: Job) -> Converted:
    booster = load_kind("catboost", job.path, {}).booster
    booster.save_model(job.output, format="onnx")
    model = importlib.import_module("onnx").load(job.output)
    classes = len(getattr(booster, "classes_", None) or [])
    without_dictionaries(model, classes)
    rename(model, {model.graph.input[0].name: "X"})
    kind = "Probability" if "probabilities" in names_of(model) else "RawFormulaVal"
    return _converted(model, len(booster.feature_names_), lambda rows: booster.predict(rows, prediction_type=kind))


def _types(width: int) -> Any:
    return [("X", importlib.import_module("onnxmltools.convert.common.data_types").FloatTensorType([None, width]))]


def _converted(model: Any, width: int, predict: Any) -> Converted:
    """A classifier gives `label` and `probabilities`, the booster one or the other; everything else gives one number a row, as `predict`."""
    numpy = importlib.import_module("numpy")
    outputs = names_of(model)
    is_classifier = "probabilities" in outputs
    if not is_classifier:
        rename(model, {outputs[0]: "predict"})

    def ask(values: Dict[str, Any]) -> Dict[str, Any]:
        found = numpy.asarray(predict(only(values)))
        if not is_classifier:
            return {"predict": found}
        if found.ndim == 1 and not numpy.all(found == numpy.round(found)):
            return {"probabilities": numpy.stack([1 - found, found], axis=1)}
        return {"label": found} if found.ndim == 1 else {"probabilities": found}

    return Converted(model, ask, [Tensor("X", "FP32", [-1, width])])
