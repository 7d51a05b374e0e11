"""A small stand-in for the `kserve` package: what custom models commonly import from it, and nothing that serves.

It stands last on the import path, so that the real package wins wherever it is installed.
"""

from .model import Model
from .model_server import ModelServer
from .protocol.infer_type import InferInput, InferOutput, InferRequest, InferResponse, RequestedOutput

__version__ = "0.21.0+slipway"
__all__ = ["InferInput", "InferOutput", "InferRequest", "InferResponse", "Model", "ModelServer", "RequestedOutput", "__version__"]
