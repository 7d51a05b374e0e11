"""Classes of MLServer and KServe on named tensors, over our stand-ins for the two packages."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import unittest
from typing import Any, Dict, Optional

COMPAT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "compat")
sys.path.append(COMPAT)

from kserve import Model
from mlserver import MLModel
from mlserver.codecs import Base64Codec, NumpyCodec, NumpyRequestCodec, StringCodec, decode_args
from mlserver.settings import ModelSettings
from mlserver.types import InferenceRequest, InferenceResponse, RequestInput, RequestOutput, ResponseOutput

from slipway_worker import arrays
from slipway_worker.calls import InferCall
from slipway_worker.contracts.custom import custom_package
from slipway_worker.contracts.kserve import KserveAdapter
from slipway_worker.errors import SeldonMicroserviceException
from slipway_worker.load import load_adapter
from slipway_worker.settings import Settings

from . import custom_models

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def loaded(name: str, **more: Any) -> Any:
    said = {"protocol": 2, "model": "served", "file": "tests/custom_models.py", "name": name, "codePath": FOLDER, **more}
    return load_adapter(Settings(json.dumps(said).encode()))


def answer(adapter: Any, inputs: Dict[str, Any], **more: Any) -> Dict[str, Any]:
    (outputs,) = list(adapter.infer(InferCall(inputs, **more)))
    found: Dict[str, Any] = outputs
    return found


def array(items: Any, dtype: Optional[str] = None) -> Any:
    return items if arrays.numpy is None else arrays.numpy.array(items, dtype=dtype)


def plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


class Mlserver(unittest.TestCase):
    def test_the_contract_is_known_by_the_base_class(self) -> None:
        class Other:
            pass

        found = [custom_package(one) for one in (custom_models.JsonRuntime, custom_models.Doubling, Other, None)]
        self.assertEqual(found, ["mlserver", "kserve", None, None])

    def test_settings_parameters_headers_and_id_reach_the_class(self) -> None:
        adapter = loaded("JsonRuntime", parameters=[{"name": "factor", "value": "3", "type": "INT"}])
        outputs = answer(adapter, {"in": array([b'{"a":1}'], "object")}, headers={"x-a": "b"}, request_id="r1")
        self.assertEqual(json.loads(plain(outputs["echo"])[0]), {"request": {"in": {"a": 1}}, "factor": 3, "header": "b", "id": "r1"})
        self.assertEqual(getattr(outputs, "parameters", None), {"content_type": "str"})
        adapter.unload()
        self.assertEqual(adapter._user.ended, ["unloaded"])

    def test_model_settings_json_beside_the_class(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            tensor = {"name": "x", "datatype": "FP32", "shape": [-1, 2]}
            said = {"name": "mine", "implementation": "runtime.Mine", "inputs": [tensor], "parameters": {"uri": "./weights", "version": "v7"}}
            source = "import mlserver\nclass Mine(mlserver.MLModel):\n    async def load(self):\n        from mlserver.utils import get_model_uri\n"
            source += "        self.uri = await get_model_uri(self.settings)\n"
            for name, text in (("model-settings.json", json.dumps(said)), ("weights", ""), ("slipway_runtime_here.py", source)):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as opened:
                    opened.write(text)
            sys.path.append(folder)
            self.addCleanup(sys.path.remove, folder)
            adapter = loaded("Mine", file="slipway_runtime_here.py", codePath=folder, model="")
            user = adapter._user
            self.assertEqual((user.name, user.version, user.uri), ("mine", "v7", os.path.join(folder, "weights")))
            self.assertEqual(adapter.signature, {"inputs": [tensor], "outputs": []})

    def test_answers_one_by_one_come_from_predict_stream(self) -> None:
        adapter = loaded("Telling")
        inputs = {"a": array([1.0]), "b": array([1.0])}
        answers = [list(adapter.infer(InferCall(inputs, is_streamed=streamed))) for streamed in (False, True)]
        words = [[plain(one["said"])[0][0] for one in pieces] for pieces in answers]
        self.assertEqual((adapter.streams, words), (True, [[b"whole"], [b"a", b"b"]]))

    def test_a_class_that_does_not_load_is_not_served(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "returned False"):
            loaded("Unfit")

    def test_the_codecs_status_and_text_reach_the_client(self) -> None:
        class Refusing(MLModel):
            async def predict(self, payload: Any) -> Any:
                return self.encode_response(object())

        from slipway_worker.contracts.mlserver import MlserverAdapter

        adapter = MlserverAdapter(Refusing(ModelSettings(name="x")), Settings(b'{"protocol":2}'))
        with self.assertRaises(SeldonMicroserviceException) as raised:
            answer(adapter, {})
        self.assertEqual(raised.exception.status_code, 400)

    def test_messages_take_dictionaries_and_give_json(self) -> None:
        request = InferenceRequest(inputs=[{"name": "a", "shape": [2], "datatype": "INT32", "data": [1, 2], "parameters": {"content_type": "np", "k": 1}}])
        self.assertEqual(request.inputs[0].parameters.k, 1)
        self.assertEqual((list(request.inputs[0].data), request.inputs[0].data[1], len(request.inputs[0].data)), ([1, 2], 2, 2))
        self.assertEqual(InferenceRequest.model_validate_json(request.model_dump_json()), request)
        with self.assertRaises(ValueError):
            RequestInput(name="a")
        with self.assertRaises(ValueError):
            RequestInput(name="a", shape=[1], datatype="FLOAT", data=[1])

    def test_text_and_base64(self) -> None:
        output = StringCodec.encode_output("t", ["a", "é"])
        self.assertEqual((output.shape, output.data.root), ([2, 1], [b"a", "é".encode()]))
        self.assertEqual(StringCodec.decode_output(output), ["a", "é"])
        self.assertEqual(Base64Codec.decode_output(Base64Codec.encode_output("b", [b"\xff\x00"])), [b"\xff\x00"])

    def test_arguments_by_type_hints(self) -> None:
        text = StringCodec.encode_input("names", ["x", "y"])
        from . import decoded_model

        made = decoded_model.Decoded(ModelSettings(name="d"))
        response = asyncio.run(made.predict(InferenceRequest(inputs=[text])))
        self.assertEqual((response.model_name, response.outputs[0].name, response.outputs[0].data.root), ("d", "output-0", [b"X", b"Y"]))
        self.assertTrue(callable(decode_args))

    @unittest.skipIf(arrays.numpy is None, "numpy is not there")
    def test_arrays(self) -> None:
        numpy = arrays.numpy
        given = numpy.arange(4, dtype="float32").reshape(2, 2)
        self.assertEqual(NumpyCodec.decode_input(NumpyCodec.encode_input("a", given)).tolist(), given.tolist())
        self.assertEqual(NumpyCodec.encode_output("a", numpy.zeros(3)).shape, [3, 1])
        response = NumpyRequestCodec.encode_response("m", given, "v")
        self.assertEqual((response.outputs[0].name, response.outputs[0].datatype, response.parameters.content_type), ("output-1", "FP32", "np"))
        self.assertEqual(response.outputs[0].data.root, [0.0, 1.0, 2.0, 3.0])
        typed = RequestInput(name="a", shape=[2], datatype="INT8", data=[1, 2], parameters={"content_type": "np"})
        model = custom_models.JsonRuntime(ModelSettings(name="x"))
        self.assertEqual(model.decode(typed).dtype.name, "int8")
        self.assertEqual(model.encode(given, RequestOutput(name="o")).name, "o")


class Kserve(unittest.TestCase):
    def test_an_infer_request_in_and_an_infer_response_out(self) -> None:
        adapter = loaded("Doubling", parameters=[{"name": "factor", "value": "3", "type": "INT"}])
        self.assertEqual((adapter._user.name, adapter.is_async), ("served", False))
        outputs = answer(adapter, {"x": array([1.0, 2.0])}, request_id="r")
        self.assertEqual((plain(outputs["doubled"]), getattr(outputs, "parameters", None)), ([3.0, 6.0], {"by": "v2"}))

    def test_the_body_of_v1_in_and_out(self) -> None:
        adapter = loaded("Doubling")
        body = array([b'{"instances":[1,"ab"]}'], "object")
        (text,) = answer(adapter, {"body": body}, headers={"x-a": "h"}, is_json=True)["json"]
        self.assertEqual(json.loads(text), {"predictions": [2, "abab"], "header": "h", "name": "served"})

    def test_wrong_bodies_and_refusals_are_400(self) -> None:
        adapter = loaded("Doubling")
        for body in (b"{", b"[]", b"{}", b'{"instances":5}', b'{"instances":[],"bad":1}', b"[" * 100000):
            with self.subTest(body[:30]), self.assertRaises(SeldonMicroserviceException) as raised:
                answer(adapter, {"body": array([body], "object")}, is_json=True)
            self.assertEqual(raised.exception.status_code, 400)

    def test_predictions_become_columns_over_v2(self) -> None:
        adapter = loaded("Waiting")
        self.assertTrue(adapter.is_async)
        self.assertEqual(answer(adapter, {"x": array([1.0])}), {"label": ["a", "b"], "score": [0.5, 0.25]})

    def test_a_class_without_predict_is_501(self) -> None:
        adapter = KserveAdapter(Model("m"), "m")
        with self.assertRaises(SeldonMicroserviceException) as raised:
            answer(adapter, {})
        self.assertEqual(raised.exception.status_code, 501)

    def test_the_real_responses_are_of_this_kind(self) -> None:
        made = InferenceResponse(model_name="m", outputs=[ResponseOutput(name="o", shape=[1], datatype="BOOL", data=[True])])
        self.assertEqual(made.model_dump()["outputs"], [{"name": "o", "shape": [1], "datatype": "BOOL", "data": [True]}])
