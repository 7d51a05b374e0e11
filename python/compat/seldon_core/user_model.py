"""The optional base class of user code and its response object."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Optional, Union

from .flask_utils import SeldonMicroserviceException


class SeldonNotImplementedError(SeldonMicroserviceException):
    """Raised by a method to say that it is not there."""

    status_code = 400

    def __init__(self, message: str) -> None:
        SeldonMicroserviceException.__init__(self, message)


class SeldonComponent:
    """Every method is optional; one that is not overridden counts as absent."""

    def __init__(self, **kwargs: Any) -> None:
        pass

    def load(self) -> None:
        """Nothing, so that an override may call it."""

    def tags(self) -> Dict[str, Any]:
        raise SeldonNotImplementedError("tags is not implemented")

    def class_names(self) -> Iterable[str]:
        raise SeldonNotImplementedError("class_names is not implemented")

    def feature_names(self) -> Iterable[str]:
        raise SeldonNotImplementedError("feature_names is not implemented")

    def metrics(self) -> List[Dict[str, Any]]:
        raise SeldonNotImplementedError("metrics is not implemented")

    def metadata(self) -> Dict[str, Any]:
        raise SeldonNotImplementedError("metadata is not implemented")

    def init_metadata(self) -> Dict[str, Any]:
        raise SeldonNotImplementedError("init_metadata is not implemented")

    def predict(self, X: Any, names: Iterable[str], meta: Optional[Dict[str, Any]] = None) -> Any:
        raise SeldonNotImplementedError("predict is not implemented")

    def predict_raw(self, msg: Any) -> Any:
        raise SeldonNotImplementedError("predict_raw is not implemented")

    def transform_input(self, X: Any, names: Iterable[str], meta: Optional[Dict[str, Any]] = None) -> Any:
        raise SeldonNotImplementedError("transform_input is not implemented")

    def transform_input_raw(self, msg: Any) -> Any:
        raise SeldonNotImplementedError("transform_input_raw is not implemented")

    def transform_output(self, X: Any, names: Iterable[str], meta: Optional[Dict[str, Any]] = None) -> Any:
        raise SeldonNotImplementedError("transform_output is not implemented")

    def transform_output_raw(self, msg: Any) -> Any:
        raise SeldonNotImplementedError("transform_output_raw is not implemented")

    def send_feedback(self, features: Any, feature_names: Iterable[str], reward: float, truth: Any, routing: Optional[int] = None) -> Any:
        raise SeldonNotImplementedError("send_feedback is not implemented")

    def send_feedback_raw(self, feedback: Any) -> Any:
        raise SeldonNotImplementedError("send_feedback_raw is not implemented")

    def route(self, features: Any, feature_names: Iterable[str], meta: Optional[Dict[str, Any]] = None) -> int:
        raise SeldonNotImplementedError("route is not implemented")

    def route_raw(self, msg: Any) -> Any:
        raise SeldonNotImplementedError("route_raw is not implemented")

    def aggregate(self, features_list: List[Any], feature_names_list: List[Any]) -> Any:
        raise SeldonNotImplementedError("aggregate is not implemented")

    def aggregate_raw(self, msgs: Any) -> Any:
        raise SeldonNotImplementedError("aggregate_raw is not implemented")

    def health_status(self) -> Any:
        raise SeldonNotImplementedError("health is not implemented")

    def health_status_raw(self) -> Any:
        raise SeldonNotImplementedError("health_raw is not implemented")


class SeldonResponse:
    """An answer with tags and metrics of its own. `metrics` must be a list."""

    def __init__(
        self,
        data: Union[Any, List[Any], str, bytes, Dict[str, Any]],
        tags: Optional[Dict[str, Any]] = None,
        metrics: Optional[List[Dict[str, Any]]] = None,
    ) -> None:
        self.data = data
        self.tags = tags if tags is not None else {}
        self.metrics = metrics if metrics is not None else []

    @classmethod
    def create(cls, data: Any) -> "SeldonResponse":
        """`data` itself when it is a response already."""
        return data if isinstance(data, SeldonResponse) else cls(data)

    def __repr__(self) -> str:
        return "SeldonResponse(data=%r, tags=%r, metrics=%r)" % (self.data, self.tags, self.metrics)
