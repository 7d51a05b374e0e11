"""Stand-in for pycaffe over OpenCV's reader of Caffe networks, for classes that predict. A real `caffe` package wins.

Not here: training, Python layers, building networks. Networks run on the processor, whatever mode is asked for.
"""

from __future__ import annotations

from typing import Any

from . import io
from .classifier import Classifier
from .net import TEST, TRAIN, Net

__all__ = ["TEST", "TRAIN", "Classifier", "Net", "io", "set_device", "set_mode_cpu", "set_mode_gpu"]

__version__ = "1.0.0"


def set_mode_cpu() -> None:
    """Nothing changes: there is one mode."""


def set_mode_gpu() -> None:
    """Nothing changes: OpenCV's wheels have no CUDA, and the answers are the same."""


def set_device(device_id: int) -> None:
    """Nothing changes."""


def set_random_seed(seed: int) -> None:
    """Nothing changes: predicting draws no numbers."""


def init_log(level: int = 0) -> None:
    """Nothing changes: OpenCV does not log what Caffe did."""


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError("module 'caffe' has no attribute '%s': this one, over OpenCV, only runs trained networks; take a base that has Caffe for more" % name)
