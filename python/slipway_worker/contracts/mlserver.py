"""MLServer's custom runtimes: `async def predict(self, payload: InferenceRequest) -> InferenceResponse`."""

from __future__ import annotations

import importlib
import json
import os
from typing import Any, Dict, Iterator, Optional

from .. import arrays
from ..calls import Adapter, InferCall, Outputs
from ..event_loop import awaited, is_async_function, iterate, settled
from ..settings import Settings
from .custom import datatype_of, flat_items, output_specs, refused, run_load, shape_of, specs_of, tensor_of

FILE = "model-settings.json"


def load_mlserver(user_class: Any, settings: Settings, parameters: Dict[str, Any]) -> "MlserverAdapter":
    user = user_class(_model_settings(settings, parameters))
    run_load(user, settings.model)
    return MlserverAdapter(user, settings)


def _model_settings(settings: Settings, parameters: Dict[str, Any]) -> Any:
    """`model-settings.json` of the code folder. Parameters of the server go over those of `extra`; without a file, `uri` is the model's path."""
    path = os.path.join(settings.code_path, FILE)
    said: Dict[str, Any] = {}
    if os.path.isfile(path):
        with open(path, encoding="utf-8") as opened:
            said = json.load(opened)
    own = dict(said.get("parameters") or {})
    if settings.model_path and not own.get("uri"):
        own["uri"] = settings.model_path
    if parameters:
        own["extra"] = {**(own.get("extra") or {}), **parameters}
    module = importlib.import_module("mlserver.settings")
    plain = {key: value for key, value in said.items() if key not in ("parameters", "implementation", "parallel_workers", "warm_workers")}
    made = module.ModelSettings(
        **{
            **plain,
            "name": settings.model or said.get("name", ""),
            "implementation": said.get("implementation") or "%s.%s" % (settings.file[:-3].replace("/", "."), settings.name),
            **({"parameters": own} if own else {}),
        }
    )
    made._source = path
    return made


class MlserverAdapter(Adapter):
    methods = ("predict",)
    speaks_tensors = True
    is_async = True

    def __init__(self, user: Any, settings: Settings) -> None:
        self._user = user
        self._types = importlib.import_module("mlserver.types")
        self.asks = ["parameters", "outputs", "unchecked", *(["headers", "request_id"] if settings.max_batch <= 1 else [])]
        self.streams = _is_own(user, "predict_stream")
        self._streams_only = self.streams and not _is_own(user, "predict")
        self.is_async = self.streams or is_async_function(user.predict)
        inputs, outputs = specs_of(user.inputs or []), specs_of(user.outputs or [])
        self.signature = {"inputs": inputs, "outputs": outputs} if inputs or outputs else None
        self.outputs = output_specs(self.signature)

    def infer(self, call: InferCall) -> Iterator[Dict[str, Any]]:
        request = self._request(call)
        try:
            if self._streams_only or (self.streams and call.is_streamed):
                for response in iterate(self._user.predict_stream(_only(request))):
                    yield _named(response)
            else:
                given = self._user.predict(request)
                yield _named(awaited(given) if is_async_function(self._user.predict) else settled(given))
        except Exception as error:
            status = getattr(error, "status_code", 501 if isinstance(error, NotImplementedError) else None)
            if isinstance(status, int):
                raise refused(error, status) from error
            raise

    def unload(self) -> None:
        settled(self._user.unload())

    def _request(self, call: InferCall) -> Any:
        types = self._types
        parameters = {**call.parameters, **({"headers": call.headers} if call.headers else {})}
        return types.InferenceRequest(
            id=call.request_id or None,
            parameters=types.Parameters(**parameters) if parameters else None,
            inputs=[self._input(name, value, call.tensor_parameters.get(name)) for name, value in call.inputs.items()],
            outputs=None if call.outputs is None else [types.RequestOutput(name=name) for name in call.outputs],
        )

    def _input(self, name: str, value: Any, parameters: Optional[Dict[str, Any]]) -> Any:
        types = self._types
        lazy = getattr(types.TensorData, "from_array", None)
        data = flat_items(value) if lazy is None or arrays.numpy is None else lazy(value)
        about = types.Parameters(**parameters) if parameters else None
        return types.RequestInput(name=name, shape=shape_of(value), datatype=datatype_of(value), data=data, parameters=about)


async def _only(request: Any) -> Any:
    yield request


def _is_own(user: Any, method: str) -> bool:
    function = getattr(type(user), method, None)
    return function is not None and function.__module__.split(".")[0] != "mlserver"


def _named(response: Any) -> Outputs:
    if not hasattr(response, "outputs"):
        raise TypeError("predict gave a %s; it has to give an InferenceResponse" % type(response).__name__)
    about = response.parameters.model_dump() if response.parameters is not None else {}
    outputs = Outputs({key: value for key, value in about.items() if isinstance(value, (str, bool, int, float))})
    for output in response.outputs:
        array = getattr(output.data, "array", None)
        data = array if array is not None else getattr(output.data, "root", output.data)
        outputs[output.name] = tensor_of(output.name, str(getattr(output.datatype, "value", output.datatype)), output.shape, data)
    return outputs
