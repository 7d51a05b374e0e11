import Iris as iris
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class Identity(MLModel):
    async def load(self):
        return True

    def run(self, rows):
        return rows

    async def predict(self, payload):
        rows = self.run(NumpyCodec.decode_input(payload.inputs[0]))
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("y", rows)])


class Iris(Identity):
    async def load(self):
        self.model = iris.Iris()
        return True

    def run(self, rows):
        return self.model.predict(rows, [])
