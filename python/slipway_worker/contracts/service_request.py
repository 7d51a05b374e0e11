"""A request as classes of the UAI contract see it: what they used of Django's."""

from __future__ import annotations

import email.parser
import email.policy
import io
import json
from typing import Any, Dict, Iterator, List, Optional, Tuple
from urllib.parse import parse_qsl

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


class Values(Dict[str, Any]):
    """Form values by name; a name that came more than once has its last value, and all of them in `getlist`."""

    def __init__(self, pairs: List[Tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def getlist(self, key: str, default: Optional[List[Any]] = None) -> List[Any]:
        found = [value for name, value in self._pairs if name == key]
        return found or (default if default is not None else [])

    def lists(self) -> Iterator[Tuple[str, List[Any]]]:
        return iter([(name, self.getlist(name)) for name in self])

    def dict(self) -> Dict[str, Any]:
        return {**self}


class Headers(Dict[str, str]):
    """Headers by name, whatever the case of its letters."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


class UploadedFile(io.BytesIO):
    """One file of a form."""

    def __init__(self, name: str, content: bytes, content_type: str) -> None:
        super().__init__(content)
        self.name = name
        self.size = len(content)
        self.content_type = content_type

    def chunks(self, chunk_size: int = 65536) -> Iterator[bytes]:
        self.seek(0)
        return iter(lambda: self.read(chunk_size), b"")


class ServiceRequest(io.BytesIO):
    """One request's body: a binary file to read, seek and iterate, with the attributes that users' code looks at. Forms are read when asked for."""

    path = path_info = "/service"
    scheme = "http"
    encoding = "utf-8"

    def __init__(self, body: bytes, about: bytes = b"") -> None:
        super().__init__(body)
        self.body = body
        self._about_text = about
        self._about: Optional[Dict[str, Any]] = None
        self._form: Optional[Tuple[Values, Values]] = None

    def _said(self) -> Dict[str, Any]:
        if self._about is None:
            self._about = json.loads(self._about_text) if self._about_text else {}
        return self._about

    @property
    def method(self) -> str:
        return str(self._said().get("method", "POST"))

    @property
    def headers(self) -> Headers:
        given = self._said().get("headers", {})
        return Headers({name: ", ".join(value) if isinstance(value, list) else str(value) for name, value in given.items()})

    @property
    def content_type(self) -> str:
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()

    @property
    def META(self) -> Dict[str, str]:  # noqa: N802 - Django's name
        said = {"REQUEST_METHOD": self.method, "PATH_INFO": self.path, "QUERY_STRING": str(self._said().get("query", ""))}
        for name, value in self.headers.items():
            said[name.upper().replace("-", "_") if name in ("content-type", "content-length") else "HTTP_" + name.upper().replace("-", "_")] = value
        said["CONTENT_LENGTH"] = str(len(self.body))
        return said

    @property
    def GET(self) -> Values:  # noqa: N802 - Django's name
        return Values(parse_qsl(str(self._said().get("query", "")), keep_blank_values=True))

    @property
    def POST(self) -> Values:  # noqa: N802 - Django's name
        return self._read_form()[0]

    @property
    def FILES(self) -> Values:  # noqa: N802 - Django's name
        return self._read_form()[1]

    def _read_form(self) -> Tuple[Values, Values]:
        if self._form is None:
            if self.content_type == FORM:
                self._form = Values(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)), Values([])
            elif self.content_type == MULTIPART:
                self._form = _parts(self.headers["content-type"], self.body)
            else:
                self._form = Values([]), Values([])
        return self._form


def _parts(content_type: str, body: bytes) -> Tuple[Values, Values]:
    """Fields and files of a form in parts."""
    head = ("Content-Type: %s\r\n\r\n" % content_type.replace("\r", "").replace("\n", "")).encode("utf-8")
    message: Any = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    fields: List[Tuple[str, Any]] = []
    files: List[Tuple[str, Any]] = []
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True) or b""
        if not isinstance(name, str):
            continue
        file_name = part.get_filename()
        if file_name is None:
            fields.append((name, content.decode("utf-8", "replace")))
        else:
            files.append((name, UploadedFile(file_name, content, part.get_content_type())))
    return Values(fields), Values(files)
