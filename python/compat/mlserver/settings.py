"""Settings of a model, as `model-settings.json` says them."""

import json

from .types import BaseModel, MetadataTensor


class Settings(BaseModel):
    """Settings of the server: whatever is given."""

    _keeps_more = True


class ModelParameters(BaseModel):
    _optional = ("uri", "version", "environment_path", "environment_tarball", "inference_pool_gid", "format", "content_type", "extra")
    _keeps_more = True

    def __init__(self, **values):
        super().__init__(**{"extra": {}, **values})


def _tensors(values):
    return [MetadataTensor.model_validate(value) for value in values]


class ModelSettings(BaseModel):
    _optional = ("name", "implementation", "platform", "versions", "inputs", "outputs", "max_batch_size", "max_batch_time", "parameters", "cache_enabled")
    _converters = {"inputs": _tensors, "outputs": _tensors, "parameters": ModelParameters.model_validate}

    def __init__(self, **values):
        empty = {"name": "", "platform": "", "versions": [], "inputs": [], "outputs": [], "max_batch_size": 0, "max_batch_time": 0.0}
        super().__init__(**{**empty, **values})
        self._source = values.get("_source")

    @classmethod
    def parse_file(cls, path):
        with open(path, encoding="utf-8") as opened:
            return cls(**{**json.load(opened), "_source": path})

    @property
    def version(self):
        return None if self.parameters is None else self.parameters.version
