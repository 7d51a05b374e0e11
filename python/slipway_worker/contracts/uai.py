"""The contract of the old UAI inference service: raw bodies in, `execute(data, batch_size)`, any kind of answer out.

How an answer becomes a body is written down in `body_of`. Requests that lie ready together go into one `execute`; when that raises or
gives the wrong number of answers, each request is tried alone, so that only those that are at fault fail.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
from typing import Any, Dict, List, Sequence, Tuple, Union

from ..calls import PREDICT, Adapter, Answer, Call, Message
from ..errors import SeldonMicroserviceException
from ..settings import Settings
from .keras1 import watch_keras
from .old_numpy import let_array_str_take_numbers
from .service_request import ServiceRequest
from .tf1 import use_tf1

_LOG = logging.getLogger("slipway.uai")
_NAMES = ("ufile.json", "conf.json")
TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
BINARY = "application/octet-stream"


class WrongAnswers(Exception):
    """`execute` did not give one answer for each request."""


class UaiAdapter(Adapter):
    methods = ("predict",)
    ignores_meta = True
    can_batch = True
    joins_requests = True

    def __init__(self, user: Any) -> None:
        self._user = user
        self._has_warned = False

    def call(self, call: Call) -> Answer:
        if call.method != PREDICT or len(call.messages) != 1:
            raise SeldonMicroserviceException("a class of this contract only answers predictions")
        message = call.messages[0]
        return _answer(self._execute([message])[0], message)

    def predict_requests(self, messages: Sequence[Message]) -> List[Union[Answer, BaseException]]:
        values: List[Any]
        try:
            values = self._execute(messages)
        except Exception as error:
            _LOG.warning("execute failed for %d requests together (%s); each is tried alone", len(messages), type(error).__name__)
            values = [self._alone(message) for message in messages]
        return [value if isinstance(value, BaseException) else _answer_or_error(value, message) for value, message in zip(values, messages)]

    def _alone(self, message: Message) -> Any:
        try:
            return self._execute([message])[0]
        except Exception as error:
            return error

    def _execute(self, messages: Sequence[Message]) -> List[Any]:
        data = [ServiceRequest(_bytes_of(message.value), message.meta_text) for message in messages]
        given = self._user.execute(data, len(data))
        if isinstance(given, (str, bytes, bytearray, dict)) or given is None:
            raise WrongAnswers("execute gave a %s; it has to give a sequence with one answer for each request" % type(given).__name__)
        answers = list(given)
        if len(data) == 1 and len(answers) > 1:
            # The old server took the first answer for its one request; several requests would get each other's.
            if not self._has_warned:
                self._has_warned = True
                _LOG.warning("execute gave %d answers for one request: the first is taken, as the old server did", len(answers))
            return answers[:1]
        if len(answers) != len(data):
            raise WrongAnswers("execute gave %d answers for %d requests" % (len(answers), len(data)))
        return answers


def _bytes_of(value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    return (value if isinstance(value, str) else json.dumps(_plain(value))).encode("utf-8", "surrogatepass")


def _answer_or_error(value: Any, message: Message) -> Union[Answer, BaseException]:
    try:
        return _answer(value, message)
    except Exception as error:
        return error


def _answer(value: Any, message: Message) -> Answer:
    status, content_type, body = body_of(value)
    if isinstance(message.value, (bytes, bytearray)):
        return Answer(body, tags={"status": status, "contentType": content_type})
    return Answer(body.decode("utf-8", "replace"))


def body_of(value: Any) -> Tuple[int, str, bytes]:
    """Status, content type and body of one answer.

    Text goes out as UTF-8 and bytes as they are; a number, of Python or numpy, as `str` writes it; true, false, None, lists, dictionaries
    and arrays as JSON, with bytes and numpy values inside made text and numbers; an object with `content` and `status_code` (a response
    of `requests` or Django) as what it says. Anything else is an error that names its type.
    """
    if isinstance(value, str):
        return 200, TEXT, value.encode("utf-8", "surrogatepass")
    if isinstance(value, (bytes, bytearray, memoryview)):
        body = bytes(value)
        return 200, TEXT if _is_text(body) else BINARY, body
    content, status = getattr(value, "content", None), getattr(value, "status_code", None)
    if isinstance(content, bytes) and isinstance(status, int):
        headers = getattr(value, "headers", None) or {}
        return status, str(headers.get("Content-Type") or TEXT), content
    if _is_number(value):
        return 200, TEXT, str(value).encode("ascii")
    return 200, JSON, json.dumps(_plain(value), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _is_text(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return isinstance(value, (int, float, complex)) or (kind in "iufc" and kind != "" and getattr(value, "shape", None) == ())


def _plain(value: Any) -> Any:
    """Only what JSON has."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, dict):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    tolist = getattr(value, "tolist", None)
    if callable(tolist):
        return _plain(tolist())
    raise TypeError("an answer of type %s is no text, number, list or dictionary" % type(value).__name__)


def _key(key: Any) -> str:
    plain = _plain(key)
    return plain if isinstance(plain, str) else json.dumps(plain)


def load_uai(settings: Settings) -> UaiAdapter:
    """Makes the one object of the user's class, in the folder and with the import path that the old server gave it."""
    if settings.code_path:
        os.chdir(settings.code_path)
        if settings.code_path in sys.path:
            sys.path.remove(settings.code_path)
        sys.path.insert(0, settings.code_path)
    conf = read_conf(settings.code_path)
    if "keras" in conf["http_server"]:
        watch_keras()
    if os.environ.get("SLIPWAY_TF1_COMPAT", "").lower() in ("1", "true", "yes"):
        use_tf1()
    own = conf["http_server"]["exec"]
    module = importlib.import_module(own["main_file"])
    let_array_str_take_numbers()
    return UaiAdapter(getattr(module, own["main_class"])(conf))


def read_conf(folder: str) -> Dict[str, Any]:
    """The file that `UAI_SERVICE_CONFIG` names, else the usual one in the folder."""
    named = os.environ.get("UAI_SERVICE_CONFIG", "")
    candidates = [os.path.join(folder, named), os.path.join(folder, os.path.basename(named))] if named else [os.path.join(folder, name) for name in _NAMES]
    path = next((candidate for candidate in candidates if os.path.isfile(candidate)), None)
    if path is None:
        raise FileNotFoundError("no configuration: there is no %s" % " and no ".join('"%s"' % candidate for candidate in candidates))
    with open(path, encoding="utf-8") as file:
        conf: Dict[str, Any] = json.load(file)
    return conf
