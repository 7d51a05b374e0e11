"""A class whose arguments are decoded by type hints, which are read when the class is made."""

from typing import List

from mlserver import MLModel
from mlserver.codecs import decode_args


class Decoded(MLModel):
    @decode_args
    async def predict(self, names: List[str]) -> List[str]:
        return [name.upper() for name in names]
