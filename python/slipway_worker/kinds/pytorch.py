"""A TorchScript archive, a `torch.export` archive, or a state dict with the file of its class beside it."""

from __future__ import annotations

import glob
import importlib
import importlib.util
import inspect
import os
import zipfile
from typing import Any, Dict, List, Optional


class TorchModel:
    def __init__(self, path: str) -> None:
        self._torch = importlib.import_module("torch")
        self.module = _read(self._torch, path)
        self._names = _parameters_of(self.module)

    def predict(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        given = self._arguments(inputs)
        with self._torch.inference_mode():
            found = self.module(*given)
        if isinstance(found, dict):
            return {str(name): _array(value) for name, value in found.items()}
        values = found if isinstance(found, (list, tuple)) else [found]
        return {"output_%d" % index: _array(value) for index, value in enumerate(values)}

    def _arguments(self, inputs: Dict[str, Any]) -> List[Any]:
        if self._names is None or len(inputs) == 1:
            return [self._value(value) for value in inputs.values()]
        missing = [name for name in self._names[: len(inputs)] if name not in inputs]
        if missing:
            raise ValueError("the input %s is missing; the model takes %s" % (", ".join(missing), ", ".join(self._names)))
        return [self._value(inputs[name]) for name in self._names if name in inputs]

    def _value(self, value: Any) -> Any:
        """A scalar becomes a number of Python, as TorchScript wants for `int` and `float`."""
        if value.ndim == 0:
            return value.item()
        return self._torch.from_numpy(value.copy())


def _array(value: Any) -> Any:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _parameters_of(call: Any) -> Optional[List[str]]:
    schema = getattr(getattr(call, "forward", None), "schema", None)
    if schema is not None:
        return [argument.name for argument in schema.arguments if argument.name != "self"]
    try:
        return [name for name in inspect.signature(call.forward).parameters if name not in ("self", "args", "kwargs")] or None
    except (AttributeError, TypeError, ValueError):
        return None


def _read(torch: Any, path: str) -> Any:
    names = zipfile.ZipFile(path).namelist() if zipfile.is_zipfile(path) else []
    if any("exported_program" in name or "/models/" in name for name in names):
        return torch.export.load(path).module()
    if any(name.endswith("/constants.pkl") for name in names):
        return torch.jit.load(path, map_location="cpu").eval()
    module = _module_beside(torch, path)
    state = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    module.load_state_dict(state)
    return module.eval()


def _module_beside(torch: Any, path: str) -> Any:
    """The last class of a module in the Python files beside the weights, made without arguments."""
    found = []
    for source in sorted(glob.glob(os.path.join(glob.escape(os.path.dirname(path)), "*.py"))):
        spec = importlib.util.spec_from_file_location("slipway_model_" + os.path.basename(source)[:-3], source)
        if spec is None or spec.loader is None:
            continue
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found += [one for one in vars(module).values() if inspect.isclass(one) and issubclass(one, torch.nn.Module) and one.__module__ == module.__name__]
    if not found:
        raise FileNotFoundError("%s holds weights only, and no file with their torch.nn.Module class stands beside it" % path)
    return found[-1]()


def load(path: str) -> TorchModel:
    return TorchModel(path)
