"""A network of Caffe, by the reader of OpenCV. The network stands beside the weights as a .prototxt."""

from __future__ import annotations

import glob
import importlib
import os
import threading
from typing import Any, Dict, List

from .given import by_name


class CaffeModel:
    def __init__(self, path: str) -> None:
        self._cv2 = importlib.import_module("cv2")
        self._numpy = importlib.import_module("numpy")
        network = network_of(path)
        self._net = self._cv2.dnn.readNetFromCaffe(network, path)
        self._inputs = _inputs_in(network)
        self._outputs: List[str] = list(self._net.getUnconnectedOutLayersNames())
        self._lock = threading.Lock()

    def predict(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        given = by_name(inputs, self._inputs)
        # The network keeps the blobs that it was given, so one call at a time.
        with self._lock:
            for name, value in given.items():
                self._net.setInput(self._numpy.ascontiguousarray(value, dtype=self._numpy.float32), name)
            found = self._net.forward(self._outputs)
            return {name: value.copy() for name, value in zip(self._outputs, found)}


def network_of(path: str) -> str:
    """The network of the same name, else one called deploy, else the only one in the folder."""
    own = os.path.splitext(path)[0] + ".prototxt"
    if os.path.isfile(own):
        return own
    others = [one for one in sorted(glob.glob(os.path.join(glob.escape(os.path.dirname(path)), "*.prototxt"))) if not _is_training(one)]
    deploy = [one for one in others if "deploy" in os.path.basename(one).lower()]
    found = deploy or others
    if not found:
        raise FileNotFoundError("no .prototxt stands beside %s" % path)
    return found[0]


def _is_training(path: str) -> bool:
    return any(word in os.path.basename(path).lower() for word in ("solver", "train_test", "train_val"))


def _inputs_in(network: str) -> List[str]:
    """Names of `input:` fields and of layers of type Input."""
    import re

    with open(network, encoding="utf-8", errors="replace") as opened:
        text = opened.read()
    own = re.findall(r'^input:\s*"([^"]+)"', text, re.M)
    layers = re.findall(r'layers?\s*\{[^{}]*?type:\s*"Input"[^{}]*?top:\s*"([^"]+)"', text)
    layers += re.findall(r'layers?\s*\{[^{}]*?top:\s*"([^"]+)"[^{}]*?type:\s*"Input"', text)
    return own + layers or ["data"]


def load(path: str) -> CaffeModel:
    return CaffeModel(path)
