"""Classes as the documentation of MLServer and KServe writes them."""

from __future__ import annotations

import json
from typing import Any, AsyncIterator, Dict, List

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.errors import InvalidInput
from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, Parameters, ResponseOutput


class JsonRuntime(MLModel):
    async def load(self) -> bool:
        self.ended: List[str] = []
        self.factor = (self.settings.parameters.extra or {}).get("factor", 1) if self.settings.parameters else 1
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        inputs = {one.name: json.loads("".join(self.decode(one, default_codec=StringCodec))) for one in payload.inputs}
        headers = payload.parameters.headers if payload.parameters else None
        body = json.dumps({"request": inputs, "factor": self.factor, "header": (headers or {}).get("x-a"), "id": payload.id}).encode("UTF-8")
        return InferenceResponse(
            id=payload.id,
            model_name=self.name,
            model_version=self.version,
            parameters=Parameters(content_type="str"),
            outputs=[ResponseOutput(name="echo", shape=[len(body)], datatype="BYTES", data=[body], parameters=Parameters(content_type="str"))],
        )

    async def unload(self) -> bool:
        self.ended.append("unloaded")
        return True


class Telling(MLModel):
    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        return self._said(["whole"])

    async def predict_stream(self, payloads: AsyncIterator[InferenceRequest]) -> AsyncIterator[InferenceResponse]:
        async for payload in payloads:
            for one in payload.inputs:
                yield self._said([one.name])

    def _said(self, words: List[str]) -> InferenceResponse:
        return InferenceResponse(model_name=self.name, outputs=[StringCodec.encode_output("said", words)])


class Unfit(MLModel):
    async def load(self) -> bool:
        return False


class Doubling(Model):
    def __init__(self, name: str, factor: int = 2) -> None:
        super().__init__(name)
        self.factor = factor
        self.load()

    def load(self) -> bool:
        self.ready = True
        return self.ready

    def preprocess(self, payload: Any, headers: Dict[str, str] = None) -> Any:  # type: ignore[assignment]
        if isinstance(payload, dict) and "bad" in payload:
            raise InvalidInput("bad is not wanted")
        return payload

    def predict(self, payload: Any, headers: Dict[str, str] = None) -> Any:  # type: ignore[assignment]
        if isinstance(payload, InferRequest):
            values = [float(value) * self.factor for value in payload.inputs[0].data]
            output = InferOutput(name="doubled", shape=[len(values)], datatype="FP64", data=values)
            return InferResponse(response_id=payload.id, model_name=self.name, infer_outputs=[output], parameters={"by": "v2"})
        return {"predictions": [value * self.factor for value in payload["instances"]], "header": (headers or {}).get("x-a")}

    def postprocess(self, result: Any, headers: Dict[str, str] = None) -> Any:  # type: ignore[assignment]
        if isinstance(result, dict):
            result["name"] = self.name
        return result


class Waiting(Model):
    async def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
        return {"predictions": [{"label": "a", "score": 0.5}, {"label": "b", "score": 0.25}]}


if __name__ == "__main__":
    ModelServer().start([Doubling("name")])
