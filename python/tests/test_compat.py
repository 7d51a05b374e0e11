"""The stand-in for seldon_core, and protobuf messages where protobuf is installed."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import unittest
from typing import Any

from slipway_worker import arrays
from slipway_worker.calls import AGGREGATE, SEND_FEEDBACK, Call, Message
from slipway_worker.contracts import flask_handler, protos
from slipway_worker.contracts.seldon import SeldonAdapter
from slipway_worker.errors import is_not_implemented, is_seldon_error

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "compat"))

from seldon_core import metrics, user_model  # noqa: E402
from seldon_core.flask_utils import SeldonMicroserviceException  # noqa: E402


def has(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


class Package(unittest.TestCase):
    def test_errors_are_known_by_name(self) -> None:
        error = SeldonMicroserviceException("no", status_code=403)
        self.assertTrue(is_seldon_error(error))
        self.assertEqual(error.to_dict(), {"status": {"status": 1, "info": "no", "code": -1, "reason": "MICROSERVICE_BAD_DATA"}})
        declined = user_model.SeldonNotImplementedError("x")
        self.assertTrue(is_not_implemented(declined) and is_seldon_error(declined))
        self.assertEqual(str(declined), "x")

    def test_metric_helpers(self) -> None:
        self.assertEqual(metrics.create_counter("c", 1), {"key": "c", "type": "COUNTER", "value": 1})
        self.assertEqual(metrics.create_gauge("g", 1, {"a": "b"})["tags"], {"a": "b"})
        self.assertEqual(metrics.create_timer("t", 1)["type"], "TIMER")
        self.assertTrue(metrics.validate_metrics([metrics.create_timer("t", 1)]))
        self.assertFalse(metrics.validate_metrics({}))
        self.assertEqual(metrics.split_image_tag("host:5000/a:v1"), ("host:5000/a", "v1"))
        self.assertEqual(metrics.split_image_tag("v1"), ("", "v1"))

    def test_load_of_the_base_class_may_be_called(self) -> None:
        class Model(user_model.SeldonComponent):
            loaded = False

            def load(self) -> None:
                super().load()
                self.loaded = True

        model = Model()
        model.load()
        self.assertTrue(model.loaded)
        self.assertNotIn("load", SeldonAdapter(user_model.SeldonComponent()).methods)

    def test_storage_is_the_local_disk(self) -> None:
        from seldon_core import Storage

        with tempfile.TemporaryDirectory() as folder:
            source, target = os.path.join(folder, "model"), os.path.join(folder, "copy")
            os.mkdir(source)
            open(os.path.join(source, "weights"), "w").close()
            self.assertEqual(Storage.download(source), source)
            self.assertEqual(Storage.download("file://" + source), source)
            self.assertEqual(os.listdir(Storage.download(source, target)), ["weights"])
            for missing in ("gs://bucket/model", "file:///nowhere"):
                with self.assertRaises(Exception):  # noqa: B017
                    Storage.download(missing)

    def test_a_response_is_made_once(self) -> None:
        made = user_model.SeldonResponse.create([1])
        self.assertIs(user_model.SeldonResponse.create(made), made)
        self.assertEqual((made.data, made.tags, made.metrics), ([1], {}, []))


class PlainAny(unittest.TestCase):
    def test_any_survives_without_protobuf(self) -> None:
        made = protos.PlainAny("type.googleapis.com/x" * 20, b"\x00\xff" * 100)
        url, value = protos._read_any(protos.any_bytes(made))
        self.assertEqual((url, value), (made.type_url, made.value))
        for bad in (b"\x0a\x05ab", b"\x08\x01", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"):
            with self.assertRaises((ValueError, IndexError)):
                protos._read_any(bad)


@unittest.skipUnless(has("google.protobuf") and arrays.numpy is not None, "no protobuf or no numpy")
class Protobuf(unittest.TestCase):
    def call(self, user: Any, message: Any, method: int = 0, grpc: bool = True) -> Any:
        value = protos.parse(method, message.SerializeToString()) if grpc else message
        return SeldonAdapter(user).call(Call(method, [Message(value, [], b"", True)], {}, grpc))

    def test_a_raw_method_gets_and_gives_messages_over_grpc(self) -> None:
        from seldon_core.proto import prediction_pb2

        class Echo:
            def predict_raw(self, message: Any) -> Any:
                assert isinstance(message, prediction_pb2.SeldonMessage)
                return prediction_pb2.SeldonMessage(strData=message.strData + "!")

        answer = self.call(Echo(), prediction_pb2.SeldonMessage(strData="x"))
        self.assertTrue(answer.is_raw and protos.is_message(answer.value))
        self.assertEqual(answer.value.strData, "x!")

    def test_raw_feedback_is_protobuf_over_rest_too(self) -> None:
        from seldon_core.proto import prediction_pb2

        class Learns:
            def send_feedback_raw(self, feedback: Any) -> Any:
                return prediction_pb2.SeldonMessage(strData="%.1f" % feedback.reward)

        self.assertEqual(self.call(Learns(), {"reward": 0.5}, SEND_FEEDBACK, grpc=False).value.strData, "0.5")

    def test_a_message_is_taken_apart_when_the_raw_method_declines(self) -> None:
        from seldon_core.proto import prediction_pb2
        from seldon_core.utils import array_to_grpc_datadef

        class Declines:
            def aggregate_raw(self, messages: Any) -> Any:
                raise user_model.SeldonNotImplementedError("no")

            def aggregate(self, Xs: Any, names_list: Any) -> Any:
                return {"Xs": [X.tolist() for X in Xs], "names": names_list}

        data = array_to_grpc_datadef("tensor", arrays.numpy.array([[1.0, 2.0]]), ["a", "b"])
        message = prediction_pb2.SeldonMessageList(seldonMessages=[prediction_pb2.SeldonMessage(data=data)])
        self.assertEqual(self.call(Declines(), message, AGGREGATE).value, {"Xs": [[[1.0, 2.0]]], "names": [["a", "b"]]})

    def test_array_helpers_go_both_ways(self) -> None:
        from seldon_core import utils
        from seldon_core.proto import prediction_pb2

        table = arrays.numpy.array([[1.0, 2.5]])
        for kind in ("tensor", "ndarray"):
            datadef = utils.array_to_grpc_datadef(kind, table, ["a", "b"])
            back = utils.get_data_from_proto(prediction_pb2.SeldonMessage(data=datadef))
            self.assertEqual(back.tolist(), table.tolist())
            self.assertEqual(utils.json_to_array(utils.array_to_rest_datadef(kind, table)).tolist(), table.tolist())
        with self.assertRaisesRegex(SeldonMicroserviceException, "Invalid JSON"):
            utils.json_to_feedback({"reward": "much"})

    def test_any_is_the_librarys_own_with_protobuf(self) -> None:
        from google.protobuf import any_pb2

        given = any_pb2.Any(type_url="u", value=b"v")
        self.assertEqual(protos.parse_any(given.SerializeToString()).SerializeToString(), given.SerializeToString())
        self.assertTrue(protos.is_any(given) and not protos.is_any({}))
        self.assertEqual(protos.any_bytes(protos.PlainAny("u", b"v")), given.SerializeToString())


@unittest.skipUnless(has("flask"), "no flask")
class Flask(unittest.TestCase):
    def test_a_blueprint_may_answer_for_an_exception(self) -> None:
        import flask

        class Teapot(Exception):
            pass

        class Handles:
            model_error_handler = flask.Blueprint("errors", __name__)

        def on_teapot(error: Any) -> Any:
            return flask.jsonify({"problem": str(error)}), 418

        Handles.model_error_handler.app_errorhandler(Teapot)(on_teapot)
        handle = flask_handler.error_handler(Handles())
        assert handle is not None
        status, content_type, body = handle(Teapot("short")) or (0, "", b"")
        self.assertEqual((status, content_type), (418, "application/json"))
        self.assertIn(b"short", body)
        self.assertIsNone(handle(ValueError("other")))


if __name__ == "__main__":
    unittest.main()
