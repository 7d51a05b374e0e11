"""A small stand-in for the `mlserver` package: what custom runtimes commonly import from it, and nothing that serves.

It stands last on the import path, so that the real package wins wherever it is installed.
"""

from .metrics import log, register
from .model import MLModel
from .settings import ModelParameters, ModelSettings, Settings

__version__ = "1.7.1+slipway"
__all__ = ["MLModel", "ModelParameters", "ModelSettings", "Settings", "__version__", "log", "register"]
