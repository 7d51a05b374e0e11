"""What passes between the frames and a contract: a call with decoded values, and an answer with Python values."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

PREDICT, TRANSFORM_INPUT, TRANSFORM_OUTPUT, ROUTE, AGGREGATE, SEND_FEEDBACK, HEALTH_STATUS, METADATA, INFER = range(9)


#: Names that nobody gave.
DEFAULT: Any = object()


class Message:
    """A decoded message. `value` is an array, text, bytes, parsed JSON, or a whole protocol message when `is_whole`."""

    __slots__ = ("value", "names", "meta_text", "is_whole", "text")

    def __init__(self, value: Any, names: List[str], meta_text: bytes = b"", is_whole: bool = False, text: str = "") -> None:
        self.value = value
        self.names = names
        self.meta_text = meta_text
        self.is_whole = is_whole
        self.text = text


class Call:
    __slots__ = ("method", "messages", "extra", "is_grpc")

    def __init__(self, method: int, messages: Sequence[Message], extra: Dict[str, Any], is_grpc: bool) -> None:
        self.method = method
        self.messages = messages
        self.extra = extra
        self.is_grpc = is_grpc


class InferCall:
    """A request on named tensors: `inputs` by name, and what the protocol says beside them. `outputs`: the names that are wanted, or None for all."""

    __slots__ = ("inputs", "parameters", "headers", "request_id", "outputs", "tensor_parameters", "is_json", "is_streamed")

    def __init__(
        self,
        inputs: Dict[str, Any],
        parameters: Optional[Dict[str, Any]] = None,
        headers: Optional[Dict[str, str]] = None,
        request_id: str = "",
        outputs: Optional[List[str]] = None,
        tensor_parameters: Optional[Dict[str, Dict[str, Any]]] = None,
        is_json: bool = False,
        is_streamed: bool = False,
    ) -> None:
        self.inputs = inputs
        #: What the protocol says beside each tensor, by its name.
        self.tensor_parameters = tensor_parameters or {}
        #: True when the only input is the text of a V1 request, for a class that asks for `json`.
        self.is_json = is_json
        #: True when the answers are taken one by one.
        self.is_streamed = is_streamed
        self.parameters = parameters or {}
        self.headers = headers or {}
        self.request_id = request_id
        self.outputs = outputs


class Outputs(Dict[str, Any]):
    """Arrays by name, with what a class says beside them."""

    def __init__(self, parameters: Dict[str, Any], arrays: Optional[Dict[str, Any]] = None) -> None:
        super().__init__(arrays or {})
        self.parameters = parameters


class Answer:
    """`names`: whatever the class says, or DEFAULT for the names `t:0`, `t:1`, … of an array with more than one axis."""

    __slots__ = ("value", "names", "tags", "metrics", "is_raw", "is_absent")

    def __init__(
        self,
        value: Any,
        names: Any = DEFAULT,
        tags: Optional[Dict[str, Any]] = None,
        metrics: Optional[List[Any]] = None,
        is_raw: bool = False,
        is_absent: bool = False,
    ) -> None:
        self.value = value
        self.names = names
        self.tags = tags
        self.metrics = metrics
        self.is_raw = is_raw
        self.is_absent = is_absent


class Adapter:
    """What the loop needs of a contract."""

    #: Raw candidates: method names whose whole message the server must send, over REST and over gRPC.
    raw_rest: Sequence[str] = ()
    raw_grpc: Sequence[str] = ()
    methods: Sequence[str] = ()
    metadata: Optional[Dict[str, Any]] = None
    signature: Optional[Dict[str, Any]] = None
    #: Methods that may stand behind another in a run: they are given nothing but values and names.
    follows: Sequence[str] = ()
    #: True when `predict` may be given the rows of several requests at once.
    can_batch: bool = False
    #: True when `predict` is never given the `meta` of its request.
    ignores_meta: bool = False
    #: True when what is joined are whole requests, for `predict_requests`, and not rows.
    joins_requests: bool = False

    #: True for a contract that answers `infer`, and not the methods of a graph.
    speaks_tensors: bool = False
    #: True when calls may run at the same time, since they wait on an event loop.
    is_async: bool = False
    #: True when one call may give several answers.
    streams: bool = False
    #: What user code asks for beside the inputs: `parameters`, `headers`, `request_id`, `outputs`; `json`: a V1 request as its text;
    #: `unchecked`: requests that are not held against the signature.
    asks: Sequence[str] = ()

    def call(self, call: Call) -> Answer:
        raise NotImplementedError

    def infer(self, call: InferCall) -> Iterator[Dict[str, Any]]:
        """The answers, each a dictionary of arrays by name; one where the model gives one."""
        raise NotImplementedError

    def unload(self) -> None:
        """Called once when the worker ends in order."""

    def predict_rows(self, rows: Any, names: List[str]) -> Any:
        """The plain answer of `predict` for joined rows."""
        raise NotImplementedError

    def finish_rows(self, rows: Any) -> Answer:
        """The answer for one request's share of the joined rows."""
        raise NotImplementedError

    def predict_requests(self, messages: Sequence[Message]) -> List[Union[Answer, BaseException]]:
        """An answer or an error for each of several requests."""
        raise NotImplementedError

    def handle_error(self, error: BaseException) -> Optional[Tuple[int, str, bytes]]:
        """Status, content type and body when the user has a handler for this error."""
        return None
