"""Finds the user's class, makes its one object and wraps it in the adapter of its contract."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from typing import Any, Dict, List, Optional

from .calls import Adapter
from .contracts.custom import custom_package, load_custom
from .contracts.hints import hinted_metadata
from .contracts.members import is_not_implemented_or_missing
from .contracts.seldon import SeldonAdapter
from .contracts.typed import TypedAdapter, is_typed, read_metadata
from .errors import SeldonMicroserviceException
from .event_loop import settled
from .kinds import has_kind, load_kind
from .settings import Settings


def load_adapter(settings: Settings) -> Adapter:
    """Runs `__init__` and `load()`. Whatever they raise goes on, except what means "there is no load"."""
    if settings.contract == "uai":
        from .contracts.uai import load_uai

        return load_uai(settings)
    if settings.contract not in ("seldon", "kserve", "model-server"):
        raise SeldonMicroserviceException("the %s contract is not known to this worker" % settings.contract, 500)
    user_class = None if not settings.file and has_kind(settings.kind) else _class_of(settings)
    package = custom_package(user_class) if settings.service == "MODEL" else None
    if package is not None:
        return load_custom(package, user_class, settings, typed_parameters(settings.parameters))
    user = _make(user_class, settings)
    load = getattr(user, "load", None)
    if callable(load):
        _run_load(load, settings.strict)
    if settings.service == "MODEL" and is_typed(type(user)):
        return TypedAdapter(user, _metadata_of(user, settings))
    adapter = SeldonAdapter(user, settings.service, settings.strict)
    signature = getattr(user, "signature", None)
    if not settings.file and callable(signature):
        adapter.signature = signature()
    custom_service = getattr(user, "custom_service", None)
    if settings.worker == 0 and callable(custom_service) and "custom_service" in adapter.methods:
        _start_custom_service(custom_service)
    return adapter


def _metadata_of(user: Any, settings: Settings) -> Optional[Dict[str, Any]]:
    """What a class, or a model without one, says of its inputs and outputs: its file, its method `metadata`, or its type hints."""
    if settings.file:
        found = read_metadata(settings.code_path, settings.file)
        if found is not None:
            return found
    metadata = getattr(user, "metadata", None)
    value = metadata() if callable(metadata) else metadata
    return value if isinstance(value, dict) else hinted_metadata(user.predict)


def _make(user_class: Any, settings: Settings) -> Any:
    parameters = typed_parameters(settings.parameters)
    if user_class is None:
        return load_kind(settings.kind, settings.model_path, parameters, settings.allow_pickle)
    return user_class(**parameters)


def _class_of(settings: Settings) -> Any:
    module = import_user_module(settings.code_path, settings.file)
    try:
        return getattr(module, settings.name)
    except AttributeError:
        raise AttributeError('class "%s" is not in "%s"' % (settings.name, settings.file)) from None


def import_user_module(code_path: str, file: str) -> Any:
    """`pkg/mod.py` as module `pkg.mod`; by path when its name is no module name, or when another module has taken the name."""
    stem = file[:-3] if file.endswith(".py") else file
    name = stem.replace("/", ".").replace(os.sep, ".")
    path = os.path.join(code_path, file)
    is_file = os.path.isfile(path)
    if all(part.isidentifier() for part in name.split(".")):
        module = importlib.import_module(name)
        found = getattr(module, "__file__", None)
        if not is_file or (found is not None and os.path.realpath(found) == os.path.realpath(path)):
            return module
    if not is_file:
        raise FileNotFoundError('no file "%s" in the code folder' % file)
    private = "slipway_user_" + "".join(char if char.isalnum() else "_" for char in stem)
    spec = importlib.util.spec_from_file_location(private, path)
    if spec is None or spec.loader is None:
        raise ImportError('"%s" is not a Python file' % file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[private] = module
    spec.loader.exec_module(module)
    return module


def _run_load(load: Any, strict: bool) -> None:
    """An AttributeError or NotImplementedError inside load() meant "no load" to the original; only the strict mode keeps that."""
    try:
        settled(load())
    except Exception as error:
        if not is_not_implemented_or_missing(error, strict):
            raise


def typed_parameters(parameters: List[Dict[str, Any]]) -> Dict[str, Any]:
    """`[{"name", "value", "type"}]` as keyword arguments."""
    return {str(parameter.get("name")): _typed(parameter) for parameter in parameters}


def _typed(parameter: Dict[str, Any]) -> Any:
    name, value, kind = parameter.get("name"), parameter.get("value"), str(parameter.get("type", "STRING"))
    text = str(value)
    if kind == "BOOL":
        return _truth(text)
    convert = {"INT": int, "FLOAT": float, "DOUBLE": float, "STRING": str}.get(kind)
    if convert is None:
        raise SeldonMicroserviceException("Bad model parameter type: %s valid are INT, FLOAT, DOUBLE, STRING, BOOL" % kind, reason="MICROSERVICE_BAD_PARAMETER")
    try:
        return convert(text)
    except ValueError:
        message = "Bad model parameter: %s with value %s can't be parsed as a %s" % (name, value, kind)
        raise SeldonMicroserviceException(message, reason="MICROSERVICE_BAD_PARAMETER") from None


def _truth(text: str) -> bool:
    word = text.lower()
    if word in ("y", "yes", "t", "true", "on", "1"):
        return True
    if word in ("n", "no", "f", "false", "off", "0"):
        return False
    raise ValueError("invalid truth value %r" % (text,))


def _start_custom_service(run: Any) -> None:
    """In a process of its own, which ends with this one's process group."""
    if os.fork() == 0:
        try:
            run()
        finally:
            os._exit(0)
