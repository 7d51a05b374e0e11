"""KServe's custom models: `preprocess`, `predict(payload, headers)` and `postprocess` on a dictionary (V1) or an InferRequest."""

from __future__ import annotations

import importlib
import inspect
import json
from typing import Any, Dict, Iterator, List, Tuple

from .. import arrays
from ..calls import Adapter, InferCall, Outputs
from ..errors import SeldonMicroserviceException
from ..event_loop import awaited, is_async_function, settled
from ..settings import Settings
from .custom import datatype_of, flat_items, output_specs, refused, run_load, shape_of, specs_of, tensor_of

#: The statuses that KServe's server gives to its errors.
_STATUSES = {"InvalidInput": 400, "ModelNotFound": 404, "ModelNotReady": 503, "NotImplementedError": 501, "UnsupportedProtocol": 501}
#: The only output of a call that came as JSON.
JSON_OUTPUT = "json"


def load_kserve(user_class: Any, settings: Settings, parameters: Dict[str, Any]) -> "KserveAdapter":
    user = user_class(*([settings.model] if _takes_name(user_class) and "name" not in parameters else []), **parameters)
    if not user.ready:
        run_load(user, settings.model)
    return KserveAdapter(user, settings.model)


def _takes_name(user_class: Any) -> bool:
    """False for a class that names itself: its `__init__` has no first argument, or one with a default that is not called `name`."""
    arguments = list(inspect.signature(user_class).parameters.values())
    if not arguments or arguments[0].kind is arguments[0].KEYWORD_ONLY:
        return False
    return arguments[0].default is arguments[0].empty or arguments[0].name in ("name", "model_name")


class KserveAdapter(Adapter):
    methods = ("predict",)
    speaks_tensors = True
    asks = ("parameters", "headers", "request_id", "outputs", "unchecked", "json")

    def __init__(self, user: Any, model: str) -> None:
        self._user = user
        self._model = model
        self._messages = importlib.import_module("kserve.protocol.infer_type")
        self.is_async = is_async_function(user.predict)
        inputs, outputs = specs_of(user.get_input_types() or []), specs_of(user.get_output_types() or [])
        self.signature = {"inputs": inputs, "outputs": outputs} if inputs or outputs else None
        self.outputs = output_specs(self.signature)

    def infer(self, call: InferCall) -> Iterator[Dict[str, Any]]:
        payload = _body(call) if call.is_json else self._request(call)
        try:
            answer = awaited(self._steps(payload, call.headers)) if self.is_async else self._steps_here(payload, call.headers)
        except Exception as error:
            names = [base.__name__ for base in type(error).__mro__]
            status = next((_STATUSES[name] for name in names if name in _STATUSES), getattr(error, "status_code", None))
            if isinstance(status, int):
                raise refused(error, status) from error
            raise
        yield {JSON_OUTPUT: [_json_text(answer)]} if call.is_json else _named(answer)

    def unload(self) -> None:
        stop = getattr(self._user, "stop", None)
        if callable(stop):
            settled(stop())

    def _calls(self, headers: Dict[str, str]) -> List[Tuple[Any, List[Any]]]:
        user = self._user
        more: List[Any] = [{}] if getattr(user, "required_response_headers", False) else []
        check = getattr(user, "validate", None)
        checks: List[Tuple[Any, List[Any]]] = [(check, [])] if callable(check) else []
        return [(user.preprocess, [headers]), *checks, (user.predict, [headers, *more]), (user.postprocess, [headers, *more])]

    def _steps_here(self, value: Any, headers: Dict[str, str]) -> Any:
        """In this thread, since `predict` is a plain function."""
        for method, more in self._calls(headers):
            value = method(value, *more)
            if inspect.isawaitable(value):
                value = awaited(value)
        return value

    async def _steps(self, value: Any, headers: Dict[str, str]) -> Any:
        for method, more in self._calls(headers):
            value = method(value, *more)
            if inspect.isawaitable(value):
                value = await value
        return value

    def _request(self, call: InferCall) -> Any:
        messages = self._messages
        wanted = None if call.outputs is None else [messages.RequestedOutput(name) for name in call.outputs]
        return messages.InferRequest(
            model_name=self._model,
            infer_inputs=[self._input(name, value, call.tensor_parameters.get(name)) for name, value in call.inputs.items()],
            request_id=call.request_id or None,
            parameters=call.parameters or None,
            request_outputs=wanted,
        )

    def _input(self, name: str, value: Any, parameters: Any) -> Any:
        kind = self._messages.InferInput
        lazy = getattr(kind, "from_array", None)
        if lazy is not None and arrays.numpy is not None:
            return lazy(name, datatype_of(value), value, parameters)
        return kind(name, shape_of(value), datatype_of(value), flat_items(value), parameters)


def _body(call: InferCall) -> Dict[str, Any]:
    """The JSON object that a V1 request is."""
    (value,) = call.inputs.values()
    (text,) = value if isinstance(value, list) else value.reshape(-1).tolist()
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SeldonMicroserviceException("the body is no JSON: %s" % error) from None
    if not isinstance(body, dict):
        raise SeldonMicroserviceException("the body is no JSON object")
    if "instances" not in body and "inputs" not in body:
        raise SeldonMicroserviceException('the body has neither "instances" nor "inputs"')
    if not isinstance(body.get("instances", []), list):
        raise SeldonMicroserviceException('Expected "instances" to be a list')
    return body


def _json_text(answer: Any) -> bytes:
    if hasattr(answer, "outputs") and hasattr(answer, "model_name"):
        answer = {"model_name": answer.model_name, "id": answer.id, "outputs": [_plain_output(output) for output in answer.outputs]}
    try:
        return json.dumps(answer, default=_json_item).encode("ascii")
    except (TypeError, ValueError) as error:
        raise TypeError("the answer cannot be written as JSON: %s" % error) from error


def _plain_output(output: Any) -> Dict[str, Any]:
    return {"name": output.name, "shape": list(output.shape), "datatype": output.datatype, "data": output.as_numpy().reshape(-1).tolist()}


def _json_item(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError("a %s has no form in JSON" % type(value).__name__)


def _named(answer: Any) -> Outputs:
    """An InferResponse, or a dictionary: V2's own, `{"predictions": rows}`, or arrays by name."""
    if isinstance(answer, dict):
        return _named_dictionary(answer)
    if not hasattr(answer, "outputs"):
        raise TypeError("predict gave a %s; it has to give an InferResponse or a dictionary" % type(answer).__name__)
    about = answer.parameters if isinstance(answer.parameters, dict) else {}
    outputs = Outputs({key: value for key, value in about.items() if isinstance(value, (str, bool, int, float))})
    for output in answer.outputs:
        if arrays.numpy is None:
            outputs[output.name] = tensor_of(output.name, output.datatype, output.shape, output.data)
        else:
            outputs[output.name] = output.as_numpy()
    return outputs


def _named_dictionary(answer: Dict[str, Any]) -> Outputs:
    listed = answer.get("outputs")
    if isinstance(listed, list) and all(isinstance(one, dict) for one in listed):
        return Outputs({}, {one["name"]: tensor_of(one["name"], one["datatype"], one["shape"], one["data"]) for one in listed})
    rows = answer.get("predictions")
    if isinstance(rows, list) and rows and all(isinstance(row, dict) and row.keys() == rows[0].keys() for row in rows):
        return Outputs({}, {str(name): [row[name] for row in rows] for name in rows[0]})
    return Outputs({}, answer)
