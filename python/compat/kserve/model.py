"""The base class of custom models."""

from enum import Enum

from .errors import InvalidInput


class InferenceVerb(Enum):
    EXPLAIN = 1
    PREDICT = 2


class PredictorProtocol(Enum):
    REST_V1 = "v1"
    REST_V2 = "v2"
    GRPC_V2 = "grpc-v2"


class BaseKServeModel:
    def __init__(self, name):
        self.name = name
        self.ready = False
        self.engine = False

    async def healthy(self):
        return self.ready

    def load(self):
        self.ready = True
        return self.ready

    def start(self):
        self.ready = True

    def stop(self):
        self.ready = False


class Model(BaseKServeModel):
    def __init__(self, name, return_response_headers=False):
        super().__init__(name)
        self.required_response_headers = return_response_headers
        self.enable_latency_logging = False

    def get_input_types(self):
        return []

    def get_output_types(self):
        return []

    def validate(self, payload):
        if isinstance(payload, dict) and "instances" in payload and not isinstance(payload["instances"], list):
            raise InvalidInput('Expected "instances" to be a list')
        return payload

    async def preprocess(self, payload, headers=None):
        return payload

    async def predict(self, payload, headers=None, response_headers=None):
        raise NotImplementedError("the model has no predict of its own, and forwards to no other server here")

    async def postprocess(self, result, headers=None, response_headers=None):
        return result
