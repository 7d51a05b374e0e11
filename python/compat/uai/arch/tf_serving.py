"""TensorFlow SavedModels: load and run by their signature; users override what goes in and comes out."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

from ..arch_conf.tf_serving_conf import TFServingJsonConfLoader
from .tf_model import TFAiUcloudModel


class TFServingAiUcloudModel(TFAiUcloudModel):
    """One input and any number of outputs, named by `conf`. The model is loaded once, where the old class did it twice."""

    def _parse_conf(self, conf: Dict[str, Any]) -> None:
        super()._parse_conf(conf)
        loader = TFServingJsonConfLoader(conf)
        self.input_info: Dict[str, Any] = loader.get_input()
        self.output_info: Dict[str, Any] = loader.get_output()
        self.tag: List[str] = loader.get_tag()
        self.signature: str = loader.get_signature()

    def load_model(self) -> Any:
        import tensorflow  # type: ignore[import-not-found,import-untyped,unused-ignore]

        v1: Any = getattr(getattr(tensorflow, "compat", tensorflow), "v1", tensorflow)
        session = v1.Session(graph=v1.Graph())
        with session.graph.as_default():
            meta = v1.saved_model.loader.load(session, self.tag, self.model_dir)
        known = meta.signature_def[self.signature]
        self.output["sess"] = session
        self.output["x"] = known.inputs[self.input_info["name"]].name
        self.output["y_"] = [known.outputs[name].name for name in self.output_info["name"]]
        return session

    def preprocess(self, request: Any) -> Any:
        return request.body

    def execute(self, data: List[Any], batch_size: int) -> Sequence[Any]:
        """The output arrays, one for each name; a class of the user's turns them into one answer for each request."""
        items = [self.preprocess(request) for request in data]
        results: Sequence[Any] = self.output["sess"].run(self.output["y_"], feed_dict={self.output["x"]: items})
        return results
