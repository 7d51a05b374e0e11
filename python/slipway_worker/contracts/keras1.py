"""Lets the Keras of today read the models that Keras 1 wrote, by the functions that users' code calls.

Only the description of a network changed its words; weights are read by Keras itself, in the order in which they lie in the file. A
layer whose weights lie otherwise today, or whose arithmetic is another, is refused by name.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.util
import json
import os
import sys
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Sequence, Set, Tuple

Config = Dict[str, Any]

_ROOTS = ("keras", "tf_keras", "tensorflow")
_PAIR = {"border_mode": "padding", "subsample": "strides", "dim_ordering": "data_format", "bias": "use_bias"}
_POOL = {"pool_size": "pool_size", "strides": "strides", "border_mode": "padding", "dim_ordering": "data_format"}
_CONVOLUTION = {**_PAIR, "nb_filter": "filters", "activation": "activation"}

#: Keras 1's class: today's, and its words for the settings. What is not listed only mattered in training.
_LAYERS: Dict[str, Tuple[str, Dict[str, str]]] = {
    "Activation": ("Activation", {"activation": "activation"}),
    "AveragePooling2D": ("AveragePooling2D", _POOL),
    "BatchNormalization": ("BatchNormalization", {"axis": "axis", "epsilon": "epsilon", "momentum": "momentum"}),
    "Convolution2D": ("Conv2D", _CONVOLUTION),
    "AtrousConvolution2D": ("Conv2D", {**_CONVOLUTION, "atrous_rate": "dilation_rate"}),
    "Dense": ("Dense", {"output_dim": "units", "activation": "activation", "bias": "use_bias"}),
    "Dropout": ("Dropout", {"p": "rate"}),
    "ELU": ("ELU", {"alpha": "alpha"}),
    "Embedding": ("Embedding", {"input_dim": "input_dim", "output_dim": "output_dim", "mask_zero": "mask_zero"}),
    "Flatten": ("Flatten", {}),
    "GaussianDropout": ("GaussianDropout", {"p": "rate"}),
    "GaussianNoise": ("GaussianNoise", {"sigma": "stddev"}),
    "GlobalAveragePooling2D": ("GlobalAveragePooling2D", {"dim_ordering": "data_format"}),
    "GlobalMaxPooling2D": ("GlobalMaxPooling2D", {"dim_ordering": "data_format"}),
    "MaxPooling2D": ("MaxPooling2D", _POOL),
    "Permute": ("Permute", {"dims": "dims"}),
    "RepeatVector": ("RepeatVector", {"n": "n"}),
    "Reshape": ("Reshape", {"target_shape": "target_shape"}),
    "UpSampling2D": ("UpSampling2D", {"size": "size", "dim_ordering": "data_format"}),
    "ZeroPadding2D": ("ZeroPadding2D", {"padding": "padding", "dim_ordering": "data_format"}),
}
_MARK = "_slipway_is_silent"
_MERGES = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate"}


class Unreadable(ValueError):
    """A model of Keras 1 that has something of which no equal is known."""


def watch_keras() -> None:
    """From here on, whatever Keras is imported reads files of Keras 1 too, and its `predict` draws no progress bar, as that of Keras 1 did not."""
    sys.meta_path.insert(0, _Watcher())


class _Watcher(importlib.abc.MetaPathFinder):
    """Hands a module that has `model_from_json` or `load_model` on with those two replaced. Keras itself is imported by whoever wants it."""

    def __init__(self) -> None:
        self._within: List[str] = []

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        parts = fullname.split(".")
        if parts[0] not in _ROOTS or parts[-1] not in ("models", "saving") or "src" in parts or fullname in self._within:
            return None
        self._within.append(fullname)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._within.remove(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, own: Any) -> None:
        self._own = own

    def create_module(self, spec: Any) -> Optional[ModuleType]:
        made: Optional[ModuleType] = self._own.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        self._own.exec_module(module)
        extend(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)


def extend(module: Any) -> None:
    """Replaces `model_from_json` and `load_model` of a module of Keras, where they are, and the default of `predict`."""
    for name, make in (("model_from_json", _json_reader), ("load_model", _file_reader)):
        original = getattr(module, name, None)
        if callable(original) and original.__module__ != __name__:
            setattr(module, name, make(original))
    model: Any = getattr(module, "Model", None)
    if isinstance(model, type) and not hasattr(model, _MARK):
        setattr(model, _MARK, True)
        setattr(model, "predict", _silent(getattr(model, "predict")))  # noqa: B009, B010


def _silent(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def predict(self: Any, x: Any, batch_size: Any = None, verbose: Any = 0, *args: Any, **more: Any) -> Any:
        return original(self, x, batch_size, verbose, *args, **more)

    return predict


def _json_reader(original: Callable[..., Any]) -> Callable[..., Any]:
    def model_from_json(json_string: Any, custom_objects: Any = None, **more: Any) -> Any:
        config = json.loads(json_string)
        if is_keras1(config):
            return model_of(config, _keras_of(original), custom_objects or {})
        return original(json_string, custom_objects=custom_objects, **more)

    return model_from_json


def _file_reader(original: Callable[..., Any]) -> Callable[..., Any]:
    def load_model(filepath: Any, custom_objects: Any = None, **more: Any) -> Any:
        config = _config_in(filepath)
        if config is None or not is_keras1(config):
            return original(filepath, custom_objects=custom_objects, **more)
        model = model_of(config, _keras_of(original), custom_objects or {})
        model.load_weights(filepath)
        return model

    return load_model


def _keras_of(function: Callable[..., Any]) -> Any:
    return importlib.import_module(function.__module__.partition(".")[0])


def is_keras1(config: Any) -> bool:
    return isinstance(config, dict) and str(config.get("keras_version", "")).partition(".")[0] == "1"


def _config_in(path: Any) -> Optional[Config]:
    """The description in a file of weights and architecture; `None` when it is no such file."""
    try:
        import h5py  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        return None
    if not isinstance(path, (str, bytes, os.PathLike)) or not h5py.is_hdf5(path):
        return None
    with h5py.File(path, "r") as file:
        text, version = file.attrs.get("model_config"), file.attrs.get("keras_version", "1")
    if text is None:
        return None
    config: Config = json.loads(text)
    return {**config, "keras_version": version.decode() if isinstance(version, bytes) else version}


def model_of(config: Config, keras: Any, custom: Config) -> Any:
    """The network that `config` describes, built anew, not compiled."""
    kind, own = config["class_name"], config["config"]
    if kind == "Sequential" and isinstance(own, list) and own:
        return _with_own_reader(_sequence(own, keras, custom), own)
    if kind == "Model":
        return _with_own_reader(_graph(own, keras, custom), own["layers"])
    raise Unreadable("a model of Keras 1 of class %s cannot be read" % kind)


def _with_own_reader(model: Any, layers: Sequence[Config]) -> Any:
    """Kernels of layers with the channels first lie otherwise in the file; a model that has some reads its weights by `read_weights`."""
    turned = {layer["config"]["name"] for layer in layers if layer["config"].get("dim_ordering") == "th"}
    if turned:
        object.__setattr__(model, "load_weights", functools.partial(read_weights, model, turned))
    return model


def read_weights(model: Any, turned: Set[str], path: Any, *_: Any, **__: Any) -> None:
    """Weights of a file of Keras 1 into a network, layer by layer in the order of both. The kernels of `turned` layers lie as (filters, channels,
    rows, columns), and are turned. They are not flipped, as Theano would have it: the file does not say who wrote it."""
    h5py: Any = importlib.import_module("h5py")
    with h5py.File(path, "r") as file:
        root = file["model_weights"] if "layer_names" not in file.attrs and "model_weights" in file else file
        groups = [root[_text(name)] for name in root.attrs["layer_names"]]
        stored = [[group[_text(name)][()] for name in group.attrs["weight_names"]] for group in groups]
    stored = [arrays for arrays in stored if arrays]
    layers = [layer for layer in model.layers if layer.weights]
    if len(stored) != len(layers):
        raise Unreadable("the file has weights for %d layers, and the model has %d" % (len(stored), len(layers)))
    for layer, arrays in zip(layers, stored):
        layer.set_weights([array.transpose(2, 3, 1, 0) if layer.name in turned and array.ndim == 4 else array for array in arrays])


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _sequence(layers: Sequence[Config], keras: Any, custom: Config) -> Any:
    first = layers[0]["config"]
    if "batch_input_shape" not in first:
        raise Unreadable("a model of Keras 1 whose first layer does not say its input shape cannot be read")
    model = keras.Sequential([_input(first, keras)])
    for layer in layers:
        if layer["class_name"] != "InputLayer":
            for step in _steps(layer, keras, custom):
                model.add(step)
    return model


def _input(own: Config, keras: Any, name: Optional[str] = None) -> Any:
    return keras.Input(shape=tuple(own["batch_input_shape"][1:]), dtype=own.get("input_dtype"), name=name)


def _graph(own: Config, keras: Any, custom: Config) -> Any:
    """Every layer is called once for each of its nodes, as soon as what it takes is there."""
    tensors: Dict[Tuple[str, int], Any] = {}
    waiting: List[Tuple[str, int, Any, Any]] = []
    for layer in own["layers"]:
        if layer["class_name"] == "InputLayer":
            tensors[layer["name"], 0] = _input(layer["config"], keras, layer["name"])
            continue
        made = _Chain(_steps(layer, keras, custom))
        waiting.extend((layer["name"], number, made, node) for number, node in enumerate(layer["inbound_nodes"]))
    while waiting:
        now = [item for item in waiting if all((name, number) in tensors for name, number, _ in item[3])]
        if not now:
            raise Unreadable("a model of Keras 1 has layers that nothing leads to: %s" % ", ".join(item[0] for item in waiting))
        for name, number, made, node in now:
            given = [tensors[source, index] for source, index, _ in node]
            tensors[name, number] = made(given if len(given) > 1 else given[0])
        waiting = [item for item in waiting if item not in now]
    inputs, outputs = ([tensors[name, number] for name, number, _ in own[side]] for side in ("input_layers", "output_layers"))
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs if len(outputs) > 1 else outputs[0], name=own.get("name"))


class _Chain:
    """Layers one after the other, called as one."""

    def __init__(self, steps: Sequence[Any]) -> None:
        self._steps = steps

    def __call__(self, given: Any) -> Any:
        for step in self._steps:
            given = step(given)
        return given


def _steps(layer: Config, keras: Any, custom: Config) -> List[Any]:
    """The layer; between two that turn its axes where it has the channels first (`th`), since processors compute with them last."""
    made = _layer(layer, keras, custom)
    own = layer["config"]
    if own.get("dim_ordering") != "th" or layer["class_name"] in custom:
        return [made]
    before = keras.layers.Permute((2, 3, 1), name="%s_channels_last" % own["name"])
    if layer["class_name"].startswith("Global"):
        return [before, made]
    return [before, made, keras.layers.Permute((3, 1, 2), name="%s_channels_first" % own["name"])]


def _layer(layer: Config, keras: Any, custom: Config) -> Any:
    kind, own = layer["class_name"], dict(layer["config"])
    if kind in custom:
        return custom[kind].from_config(own)
    if kind == "Merge":
        return _merge(own, keras)
    if kind not in _LAYERS:
        raise Unreadable('a layer of Keras 1 of class %s ("%s") cannot be read; name a class for it in custom_objects' % (kind, own.get("name")))
    _refuse(kind, own)
    new, words = _LAYERS[kind]
    settings = {word: _value(word, own[old]) for old, word in words.items() if old in own}
    if kind in ("Convolution2D", "AtrousConvolution2D"):
        settings["kernel_size"] = (own["nb_row"], own["nb_col"])
    return getattr(keras.layers, new)(name=own["name"], **settings)


def _merge(own: Config, keras: Any) -> Any:
    mode = own.get("mode")
    if mode not in _MERGES:
        raise Unreadable('a Merge of Keras 1 in mode %s ("%s") cannot be read' % (mode, own.get("name")))
    return getattr(keras.layers, _MERGES[mode])(name=own["name"], **({"axis": own.get("concat_axis", -1)} if mode == "concat" else {}))


def _refuse(kind: str, own: Config) -> None:
    """What has a name in both, but is not the same."""
    differing = {"activation": "hard_sigmoid", "border_mode": "full"}
    for word, value in differing.items():
        if own.get(word) == value:
            what = 'a layer of Keras 1 of class %s ("%s") with %s "%s"' % (kind, own.get("name"), word, value)
            raise Unreadable("%s cannot be read: that is not the same today" % what)
    if kind == "BatchNormalization" and own.get("mode", 0) != 0:
        raise Unreadable('a BatchNormalization of Keras 1 ("%s") in mode %s cannot be read' % (own.get("name"), own["mode"]))


def _value(word: str, value: Any) -> Any:
    if word == "data_format":
        return "channels_last"
    if word == "padding" and isinstance(value, list) and len(value) == 4:
        return ((value[0], value[1]), (value[2], value[3]))
    return tuple(value) if isinstance(value, list) else value
