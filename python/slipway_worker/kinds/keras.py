"""A model of Keras: whole in HDF5 or in a `.keras` archive, or weights in HDF5 with the architecture as JSON beside them.

Files of Keras 3 are read by Keras 3, older ones by tf-keras; those of Keras 1 with the words that changed put right.
"""

from __future__ import annotations

import glob
import importlib
import json
import os
from typing import Any, Dict, List, Optional, Tuple

from ..contracts import keras1
from .given import by_name, spec


class KerasModel:
    def __init__(self, path: str) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        self._numpy = importlib.import_module("numpy")
        self._model, architecture = _read(path)
        own = [_plain(name) for name in self._names("inputs")]
        self._inputs = _inputs_in(architecture, len(own)) or own
        self._outputs = [_plain(name) for name in self._names("outputs")]

    def _names(self, side: str) -> List[str]:
        own = getattr(self._model, "input_names" if side == "inputs" else "output_names", None)
        return list(own) if own else [one.name for one in getattr(self._model, side)]

    @property
    def metadata(self) -> Dict[str, Any]:
        return {
            "inputs": [spec(name, _dtype(one), tuple(one.shape)) for name, one in zip(self._inputs, self._model.inputs)],
            "outputs": [spec(name, _dtype(one), tuple(one.shape)) for name, one in zip(self._outputs, self._model.outputs)],
        }

    def traced(self) -> Tuple[Any, List[Tuple[str, Any, Any]]]:
        """The model as a function of its inputs in order, and their names, types and shapes."""
        specs = [(name, _dtype(one), tuple(one.shape)) for name, one in zip(self._inputs, self._model.inputs)]
        return lambda *given: self._model(given[0] if len(given) == 1 else list(given), training=False), specs

    def predict(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        given = by_name(inputs, self._inputs)
        missing = [name for name in self._inputs if name not in given]
        if missing:
            raise ValueError("the input %s is missing" % ", ".join(missing))
        arrays = [given[name].astype(_dtype(one)) for name, one in zip(self._inputs, self._model.inputs)]
        found = self._model(arrays[0] if len(arrays) == 1 else arrays, training=False)
        values = found if isinstance(found, (list, tuple)) else list(found.values()) if isinstance(found, dict) else [found]
        return {name: self._numpy.asarray(value) for name, value in zip(self._outputs, values)}


def _plain(name: str) -> str:
    return name.split(":", 1)[0]


def _dtype(tensor: Any) -> str:
    dtype = tensor.dtype
    return str(getattr(dtype, "name", dtype))


def _inputs_in(architecture: Optional[str], count: int) -> Optional[List[str]]:
    """A sequential model without an input layer of its own gets one, called after its first layer: so says the description, too."""
    model = json.loads(architecture) if architecture else {}
    config = model.get("config")
    layers = config if isinstance(config, list) else (config or {}).get("layers")
    if model.get("class_name") != "Sequential" or not layers or count != 1 or layers[0].get("class_name") == "InputLayer":
        return None
    name = (layers[0].get("config") or {}).get("name") or layers[0].get("name")
    return ["%s_input" % name] if name else None


def _read(path: str) -> Tuple[Any, Optional[str]]:
    """The model, and its architecture as JSON where that stands outside of an archive."""
    if path.endswith(".keras"):
        return _keras("3").models.load_model(path, compile=False), None
    h5py = importlib.import_module("h5py")
    with h5py.File(path, "r") as opened:
        config = _text(opened.attrs.get("model_config"))
        version = _text(opened.attrs.get("keras_version"))
    architecture = None if config is not None else _architecture_of(path)
    if architecture is not None:
        version = version or json.loads(architecture).get("keras_version")
    library = _keras(version or "2")
    keras1.extend(library.models)
    if architecture is None:
        return library.models.load_model(path, compile=False), config
    model = library.models.model_from_json(_today(architecture))
    model.load_weights(path)
    return model, architecture


def _today(architecture: str) -> str:
    """Before `reset_after` was a setting of GRU it was false; today its default is true."""
    config = json.loads(architecture)
    _complete(config)
    return json.dumps(config)


def _complete(value: Any) -> None:
    if isinstance(value, dict):
        own = value.get("config")
        if value.get("class_name") == "GRU" and isinstance(own, dict):
            own.setdefault("reset_after", False)
        for item in value.values():
            _complete(item)
    elif isinstance(value, list):
        for item in value:
            _complete(item)


def _keras(version: str) -> Any:
    """Files of Keras 1 and 2 are read by tf-keras, or by Keras 3 where that is not installed: it reads most of them."""
    if version.startswith("3"):
        return importlib.import_module("keras")
    try:
        return importlib.import_module("tf_keras")
    except ModuleNotFoundError as error:
        if error.name != "tf_keras":
            raise
        return importlib.import_module("keras")


def _text(value: Any) -> Optional[str]:
    return value.decode() if isinstance(value, bytes) else value


def _architecture_of(path: str) -> str:
    """The JSON of the same name, else the only one beside the weights that is an architecture."""
    own = os.path.splitext(path)[0] + ".json"
    beside = sorted(glob.glob(os.path.join(glob.escape(os.path.dirname(path)), "*.json")))
    for candidate in [own] + [one for one in beside if one != own]:
        if not os.path.isfile(candidate):
            continue
        with open(candidate, encoding="utf-8") as opened:
            text = opened.read()
        if '"class_name"' in text and '"config"' in text:
            return text
    raise FileNotFoundError("%s holds weights only, and no architecture stands beside it as JSON" % path)


def load(path: str) -> KerasModel:
    return KerasModel(path)
