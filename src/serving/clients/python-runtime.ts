/** What every client in Python has, whatever its models are. */
export const PYTHON_RUNTIME: string = String.raw`
from __future__ import annotations

import json as _json
import urllib.error as _errors
import urllib.parse as _parse
import urllib.request as _request
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict
from typing import cast as _cast

_Spec = tuple[str, str, tuple[int, ...]]  # name, datatype, shape; -1 is an axis of any length


class ModelError(Exception):
    """What the server refused, in its own words; status is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _tensor(spec: _Spec, value: Any) -> dict[str, Any]:
    name, datatype, shape = spec
    value = value.tolist() if hasattr(value, "tolist") else value  # an array of numpy
    sizes: list[int] = []
    first = value
    for size in shape:
        is_list = isinstance(first, (list, tuple))
        sizes.append(len(first) if is_list else max(size, 0))
        first = first[0] if is_list and first else None
    fits = all(size in (-1, found) for size, found in zip(shape, sizes))
    data: list[Any] = []

    def add(item: Any, axis: int) -> None:
        is_list = isinstance(item, (list, tuple))
        if not fits or is_list != (axis < len(sizes)) or (is_list and len(item) != sizes[axis]):
            raise ValueError(f"input {name!r}: its lists do not have the shape {list(shape)}")
        if is_list:
            for one in item:
                add(one, axis + 1)
        else:
            data.append(item)

    add(value, 0)
    return {"name": name, "datatype": datatype, "shape": sizes, "data": data}


def _scalar(datatype: str, value: Any) -> Any:
    if datatype in ("FP32", "FP64") and type(value) in (int, float):
        return float(value)
    wanted = {"BOOL": bool, "BYTES": str}.get(datatype, int)
    if type(value) is not wanted:
        raise ValueError(f"{value!r} is no {datatype}")
    return value


def _nested(values: list[Any], sizes: list[int]) -> Any:
    if not sizes:
        return values[0]
    if len(sizes) == 1:
        return values
    step = 1
    for size in sizes[1:]:
        step *= size
    return [_nested(values[at * step : (at + 1) * step], sizes[1:]) for at in range(sizes[0])]


def _output(answer: Any, spec: _Spec) -> Any:
    name, datatype, shape = spec
    try:
        found = next(one for one in answer["outputs"] if one["name"] == name)
        sizes, data = list(found["shape"]), list(found["data"])
        count = 1
        for size in sizes:
            count *= size
        if len(sizes) != len(shape) or len(data) != count:
            raise ValueError(f"its shape is {sizes}")
        return _nested([_scalar(datatype, value) for value in data], sizes)
    except (KeyError, StopIteration, TypeError, ValueError) as error:
        wrong = f"the answer has no output {name!r} of {datatype} {list(shape)}"
        raise ModelError(200, f"{wrong}: {error}" if str(error) else wrong) from error


def _reason(text: str) -> str:
    try:
        error = _json.loads(text)["error"]
        reason = error if isinstance(error, str) else error["message"]
        return reason if isinstance(reason, str) else text
    except (KeyError, TypeError, ValueError):
        return text
`;

/** The members of the class that its methods call. */
export const PYTHON_CLASS_HEAD: string = String.raw`
    def __init__(
        self, url: str, *, headers: Mapping[str, str] | None = None, timeout: float = 60.0
    ) -> None:
        """url: where the server answers, such as http://localhost:9000. timeout: in seconds."""
        self._url = url.rstrip("/")
        self._headers = {**(headers or {}), "Content-Type": "application/json"}
        self._timeout = timeout

    def _infer(
        self, model: str, inputs: list[dict[str, Any]], outputs: list[_Spec]
    ) -> dict[str, Any]:
        request = _request.Request(
            f"{self._url}/v2/models/{_parse.quote(model, safe='')}/infer",
            data=_json.dumps({"inputs": inputs}).encode(),
            headers=self._headers,
            method="POST",
        )
        try:
            with _request.urlopen(request, timeout=self._timeout) as response:
                text = response.read().decode("utf-8", "replace")
        except _errors.HTTPError as error:
            body = error.read().decode("utf-8", "replace")
            raise ModelError(error.code, _reason(body)) from None
        try:
            answer = _json.loads(text)
        except ValueError:
            raise ModelError(200, "the answer is no JSON") from None
        return {spec[0]: _output(answer, spec) for spec in outputs}
`;
