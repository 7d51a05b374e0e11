"""A trained network with the blobs that pycaffe shows."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Callable, Dict, List, Optional, Set

import cv2  # type: ignore[import-not-found,import-untyped,unused-ignore]
import numpy  # type: ignore[import-not-found,import-untyped,unused-ignore]

from .prototxt import read_network

TRAIN, TEST = 0, 1


class Blob:
    """`data`: a float32 array. That of an input is written in place, others are worked out by the last `forward` and when first looked at."""

    def __init__(self, data: Any, work_out: Optional[Callable[[], Any]] = None) -> None:
        self._data = data
        self._work_out = work_out

    @property
    def data(self) -> Any:
        if self._data is None and self._work_out is not None:
            self._data = self._work_out()
        return self._data

    @property
    def shape(self) -> Any:
        return self.data.shape

    def forget(self) -> None:
        self._data = None

    def reshape(self, *dims: int) -> None:
        """Another shape, with zeros; the old one's numbers are gone."""
        if tuple(dims) != self.data.shape:
            self._data = numpy.zeros(dims, dtype=numpy.float32)

    def _axis(self, index: int) -> int:
        return int(self.shape[index]) if index < len(self.shape) else 1

    num = property(lambda self: self._axis(0))
    channels = property(lambda self: self._axis(1))
    height = property(lambda self: self._axis(2))
    width = property(lambda self: self._axis(3))
    count = property(lambda self: int(self.data.size))


def _opened(network: str, weights: str, reduced: Optional[str]) -> Any:
    if reduced is None:
        return cv2.dnn.readNetFromCaffe(network, weights)
    with open(weights, "rb") as file:
        return cv2.dnn.readNetFromCaffe(numpy.frombuffer(reduced.encode("utf-8"), dtype=numpy.uint8), numpy.frombuffer(file.read(), dtype=numpy.uint8))


class Net:
    """`Net(network, weights, phase)` or `Net(network, phase, weights=…)`. One call at a time; others wait."""

    def __init__(self, network: str, *arguments: Any, weights: Optional[str] = None, phase: int = TEST, **_: Any) -> None:
        for argument in arguments:
            if isinstance(argument, int):
                phase = argument
            else:
                weights = argument
        if phase != TEST:
            raise NotImplementedError("caffe.Net: this caffe, over OpenCV, only predicts: pass caffe.TEST")
        if weights is None:
            raise NotImplementedError("caffe.Net: the weights are missing; this caffe, over OpenCV, only runs trained networks")
        network, weights = str(network), str(weights)
        found = read_network(network)
        layers, shapes = found.layers, found.inputs
        self._net: Any = _opened(network, weights, found.reduced)
        self._layer_names = [layer.name for layer in layers]
        self.inputs: List[str] = list(shapes)
        self._lock = threading.RLock()
        self._makers: "OrderedDict[str, str]" = OrderedDict()
        read: Set[str] = set()
        for layer in layers:
            read.update(name for name in layer.bottoms if name not in layer.tops)
            for index, top in enumerate(layer.tops):
                if top not in shapes:
                    self._makers[top] = layer.name if index == 0 else "%s.%d" % (layer.name, index)
        self.outputs: List[str] = [name for name in self._makers if name not in read]
        self.blobs: "OrderedDict[str, Blob]" = OrderedDict()
        for name, shape in shapes.items():
            self.blobs[name] = Blob(numpy.zeros(shape or [1], dtype=numpy.float32))
        for name, maker in self._makers.items():
            self.blobs[name] = Blob(None, self._worker_out_of(maker))

    def _worker_out_of(self, maker: str) -> Callable[[], Any]:
        def work_out() -> Any:
            with self._lock:
                self._hand_over()
                return self._net.forward(maker).copy()

        return work_out

    @property
    def params(self) -> "OrderedDict[str, List[Blob]]":
        """Weights by layer, for looking at; what is written there changes nothing."""
        found: "OrderedDict[str, List[Blob]]" = OrderedDict()
        for name in self._layer_names:
            blobs = self._net.getLayer(name).blobs if name in self._net.getLayerNames() else []
            if len(blobs) > 0:
                found[name] = [Blob(numpy.array(blob)) for blob in blobs]
        return found

    def reshape(self) -> None:
        """Nothing to do: shapes are taken over when the network runs."""

    def _hand_over(self) -> None:
        for name in self.inputs:
            self._net.setInput(numpy.ascontiguousarray(self.blobs[name].data, dtype=numpy.float32), name)

    def forward(self, blobs: Optional[List[str]] = None, start: Optional[str] = None, end: Optional[str] = None, **given: Any) -> Dict[str, Any]:
        """Runs the network. `given`: arrays for inputs by name. @returns the outputs, and the blobs asked for, by name."""
        if start is not None or end is not None:
            raise NotImplementedError("Net.forward: this caffe, over OpenCV, runs the whole network; leave start and end out")
        unknown = set(given) - set(self.inputs)
        if unknown:
            raise ValueError("Input blob arguments do not match net inputs: %s" % ", ".join(sorted(unknown)))
        wanted = [*self.outputs, *(name for name in blobs or [] if name not in self.outputs)]
        with self._lock:
            for name, value in given.items():
                array = numpy.asarray(value, dtype=numpy.float32)
                self.blobs[name].reshape(*array.shape)
                self.blobs[name].data[...] = array
            self._hand_over()
            for name in self._makers:
                self.blobs[name].forget()
            makers = [self._makers[name] for name in wanted if name in self._makers]
            for name, value in zip((name for name in wanted if name in self._makers), self._net.forward(makers)):
                self.blobs[name]._data = value.copy()
            return {name: self.blobs[name].data for name in wanted}

    def forward_all(self, blobs: Optional[List[str]] = None, **given: Any) -> Dict[str, Any]:
        """The same for any number of items, in portions of the network's own batch."""
        if not given:
            return {name: numpy.array(value) for name, value in self.forward(blobs).items()}
        size = max(1, int(self.blobs[self.inputs[0]].shape[0]))
        count = max(len(value) for value in given.values())
        parts: Dict[str, List[Any]] = {}
        for begin in range(0, count, size):
            found = self.forward(blobs, **{name: value[begin : begin + size] for name, value in given.items()})
            for name, value in found.items():
                parts.setdefault(name, []).append(numpy.array(value))
        for name in given:
            self.blobs[name].reshape(size, *self.blobs[name].shape[1:])
        return {name: numpy.concatenate(values) for name, values in parts.items()}

    def copy_from(self, weights: str) -> None:
        raise NotImplementedError("Net.copy_from: this caffe, over OpenCV, takes its weights when it is made")
