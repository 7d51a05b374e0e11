"""TensorFlow SavedModels: load and run by their signature; users override what goes in and comes out."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

from ..arch_conf.tf_conf import TFServingJsonConfLoader
from .tf_model import TFAiUcloudModel


class TFServingAiUcloudModel(TFAiUcloudModel):
    """One input and any number of outputs, named by `conf`. The model is loaded once, where the old class did it twice."""

    def _parse_conf(self, conf: Dict[str, Any]) -> None:
        loader = TFServingJsonConfLoader(conf)
        self.model_dir = loader.get_model_dir()
        self.input_info: Dict[str, Any] = loader.get_input_set()
        self.output_info: Dict[str, Any] = loader.get_output_set()
        self.tag: List[str] = loader.get_tag_set()
        self.signature: str = loader.get_signature()

    def load_model(self) -> Any:
        import tensorflow  # type: ignore[import-not-found,import-untyped,unused-ignore]

        v1: Any = getattr(getattr(tensorflow, "compat", tensorflow), "v1", tensorflow)
        session = v1.Session(graph=v1.Graph())
        with session.graph.as_default():
            meta = v1.saved_model.loader.load(session, self.tag, self.model_dir)
        known = meta.signature_def[self.signature]
        self.output["sess"] = session
        tensor = session.graph.get_tensor_by_name
        self.output["input_tensor"] = tensor(known.inputs[self.input_info["name"]].name)
        self.output["output_tensor"] = [tensor(known.outputs[name].name) for name in self.output_info["name"]]
        return session

    def preprocess(self, request: Any) -> Any:
        return request.body

    def execute(self, data: List[Any], batch_size: int) -> Sequence[Any]:
        """The output arrays, one for each name; a class of the user's turns them into one answer for each request."""
        import numpy

        items = numpy.array([numpy.array(self.preprocess(data[index])) for index in range(batch_size)])
        results: Sequence[Any] = self.output["sess"].run(self.output["output_tensor"], feed_dict={self.output["input_tensor"]: items})
        return results
