"""The UAI contract without a socket."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import unittest
from typing import Any, Dict, List, Tuple

from slipway_worker.calls import PREDICT, Answer, Call, Message
from slipway_worker.contracts.old_numpy import let_array_str_take_numbers
from slipway_worker.contracts.service_request import ServiceRequest
from slipway_worker.contracts.uai import BINARY, JSON, TEXT, UaiAdapter, WrongAnswers, body_of, load_uai, read_conf
from slipway_worker.settings import Settings

_COMPAT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "compat")

CLASS = """
import json
from uai.arch.keras_model import KerasAiUcloudModel
class Model(KerasAiUcloudModel):
    def load_model(self):
        self.loads = getattr(self, "loads", 0) + 1
    def execute(self, data, batch_size):
        return [json.dumps([self.loads, self.model_arch_file, self.model_weight_file, item.read().decode(), batch_size]) for item in data]
"""


def conf(**more: Any) -> Dict[str, Any]:
    return {"http_server": {"exec": {"main_file": "uai_user_module", "main_class": "Model"}, **more}}


class Answers(unittest.TestCase):
    def test_every_type_has_a_body(self) -> None:
        cases = [
            ("2\n", TEXT, b"2\n"),
            (b"\x00\xff", BINARY, b"\x00\xff"),
            (b"two", TEXT, b"two"),
            (3, TEXT, b"3"),
            (0.5, TEXT, b"0.5"),
            (True, JSON, b"true"),
            (None, JSON, b"null"),
            ([1, (2, b"x")], JSON, b'[1, [2, "x"]]'),
            ({"a": [0.5], 1: "\u4e8c"}, JSON, '{"a": [0.5], "1": "\u4e8c"}'.encode()),
        ]
        for value, content_type, body in cases:
            self.assertEqual(body_of(value), (200, content_type, body), repr(value))

    def test_a_response_says_its_own_status(self) -> None:
        class Response:
            content, status_code, headers = b"no", 404, {"Content-Type": "text/html"}

        self.assertEqual(body_of(Response()), (404, "text/html", b"no"))

    def test_what_has_no_body_is_named(self) -> None:
        with self.assertRaisesRegex(TypeError, "type object"):
            body_of([object()])

    def test_numpy_values(self) -> None:
        try:
            import numpy
        except ImportError:
            self.skipTest("numpy is not installed")
        self.assertEqual(body_of(numpy.float32(0.0076854294)), (200, TEXT, b"0.0076854294"))
        self.assertEqual(body_of(numpy.array([[1, 2]])), (200, JSON, b"[[1, 2]]"))
        self.assertEqual(body_of(numpy.array([b"7"], dtype="S10")[0]), (200, TEXT, b"7"))
        self.assertEqual(body_of({"p": numpy.float64(0.5)}), (200, JSON, b'{"p": 0.5}'))


class Requests(unittest.TestCase):
    def test_a_request_is_a_file(self) -> None:
        request = ServiceRequest(b'{"a": 1}\nx')
        self.assertEqual(list(request), [b'{"a": 1}\n', b"x"])
        self.assertEqual((request.seek(0), request.read(), request.body, request.META["CONTENT_LENGTH"]), (0, b'{"a": 1}\nx', b'{"a": 1}\nx', "10"))
        self.assertIsInstance(request, io.BufferedIOBase)

    def test_what_django_tells_is_told(self) -> None:
        about = {"method": "PUT", "query": "a=1&a=2&b=", "headers": {"content-type": "application/x-www-form-urlencoded", "x-user": "me"}}
        request = ServiceRequest(b"name=%E4%BA%8C&n=1", json.dumps(about).encode())
        self.assertEqual(
            (request.method, request.content_type, request.headers["X-User"], "X-USER" in request.headers),
            ("PUT", "application/x-www-form-urlencoded", "me", True),
        )
        self.assertEqual((request.GET["a"], request.GET.getlist("a"), request.GET.get("b"), request.GET.get("c")), ("2", ["1", "2"], "", None))
        self.assertEqual((request.POST["name"], request.POST.get("n"), dict(request.FILES)), ("\u4e8c", "1", {}))
        self.assertEqual((request.META["HTTP_X_USER"], request.META["QUERY_STRING"], request.META["CONTENT_LENGTH"]), ("me", "a=1&a=2&b=", "18"))
        self.assertEqual(request.read(), b"name=%E4%BA%8C&n=1")

    def test_files_of_a_form(self) -> None:
        body = b'--x\r\nContent-Disposition: form-data; name="image"; filename="2.jpg"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\x00\n\r\n--x\r\n'
        body += b'Content-Disposition: form-data; name="top"\r\n\r\n5\r\n--x--\r\n'
        request = ServiceRequest(body, json.dumps({"headers": {"content-type": "multipart/form-data; boundary=x"}}).encode())
        image = request.FILES["image"]
        self.assertEqual(
            (image.name, image.content_type, image.size, image.read(), b"".join(image.chunks(2))),
            ("2.jpg", "image/jpeg", 4, b"\xff\xd8\x00\n", b"\xff\xd8\x00\n"),
        )
        self.assertEqual(request.POST["top"], "5")
        self.assertEqual(dict(ServiceRequest(b"x").POST), {})


class Execution(unittest.TestCase):
    def adapter(self, execute: Any) -> UaiAdapter:
        user = type("User", (), {"execute": lambda self, data, size: execute(data, size)})()
        return UaiAdapter(user)

    def test_requests_together_get_their_own_answers(self) -> None:
        adapter = self.adapter(lambda data, size: ["%s/%d" % (item.body.decode(), size) for item in data])
        found = adapter.predict_requests([Message(b"a", []), Message("b", [])])
        self.assertEqual([one.value for one in found if isinstance(one, Answer)], [b"a/2", "b/2"])

    def test_only_the_request_at_fault_fails(self) -> None:
        def execute(data: List[Any], size: int) -> List[str]:
            if any(item.body == b"bad" for item in data):
                raise ValueError("bad body")
            return ["ok"] * size

        found = self.adapter(execute).predict_requests([Message(body, []) for body in (b"x", b"bad", b"y")])
        self.assertEqual([isinstance(one, ValueError) for one in found], [False, True, False])

    def test_a_wrong_number_of_answers(self) -> None:
        cases: List[Tuple[Any, str]] = [
            (lambda data, size: [], "0 answers for 1 requests"),
            (lambda data, size: "2", "gave a str"),
            (lambda data, size: None, "NoneType"),
        ]
        for execute, words in cases:
            with self.assertRaisesRegex(WrongAnswers, words):
                self.adapter(execute).call(Call(PREDICT, [Message(b"x", [])], {}, False))

    def test_more_answers_than_the_one_request_give_the_first_and_a_warning(self) -> None:
        adapter = self.adapter(lambda data, size: ["%s-%d" % (item.body.decode(), part) for item in data for part in range(3)])
        with self.assertLogs("slipway.uai", "WARNING") as logs:
            values = [adapter.call(Call(PREDICT, [Message(body, [])], {}, False)).value for body in (b"a", b"b")]
        self.assertEqual(values, [b"a-0", b"b-0"])
        self.assertEqual(len(logs.output), 1)
        together = adapter.predict_requests([Message(b"a", []), Message(b"b", [])])
        self.assertEqual([one.value for one in together if isinstance(one, Answer)], [b"a-0", b"b-0"])

    def test_numbers_are_written_as_the_numpy_of_those_days_did(self) -> None:
        try:
            import numpy
        except ImportError:
            self.skipTest("numpy is not installed")
        let_array_str_take_numbers()
        let_array_str_take_numbers()
        number: Any = numpy.argmax([1, 3])
        self.assertEqual((numpy.array_str(number), numpy.array_str(numpy.array([1, 2]))), ("1", "[1 2]"))


class Loading(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)
        self.addCleanup(os.chdir, os.getcwd())
        self.addCleanup(sys.path.__setitem__, slice(None), list(sys.path))
        self.addCleanup(sys.modules.pop, "uai_user_module", None)
        sys.path.append(_COMPAT)

    def write(self, name: str, text: str) -> None:
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def test_an_old_class_runs_unchanged_and_loads_once(self) -> None:
        keras = {"model_dir": "./checkpoint_dir", "model_name": "m", "all_one_file": False, "model_arch_type": "json"}
        self.write("uai_user_module.py", CLASS)
        self.write("ufile.json", json.dumps(conf(keras=keras)))
        adapter = load_uai(Settings(json.dumps({"protocol": 2, "codePath": self.folder}).encode()))
        answer = adapter.call(Call(PREDICT, [Message(b"body", [])], {}, False))
        self.assertEqual(json.loads(answer.value), [1, "./checkpoint_dir/m.json", "./checkpoint_dir/m.h5", "body", 1])
        self.assertEqual(answer.tags, {"status": 200, "contentType": TEXT})
        self.assertEqual(os.getcwd(), self.folder)

    def test_a_key_that_is_missing_is_named(self) -> None:
        self.write("uai_user_module.py", CLASS)
        self.write("conf.json", json.dumps(conf(keras={"model_dir": "d"})))
        with self.assertRaisesRegex(KeyError, "model_name"):
            load_uai(Settings(json.dumps({"protocol": 2, "codePath": self.folder}).encode()))

    def test_no_configuration(self) -> None:
        with self.assertRaisesRegex(FileNotFoundError, "ufile.json"):
            read_conf(self.folder)


if __name__ == "__main__":
    unittest.main()
