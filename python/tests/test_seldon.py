"""The class contract: which method answers, with which arguments, and what goes with the answer."""

from __future__ import annotations

import os
import sys
import unittest
from typing import Any, List

from slipway_worker.calls import (
    AGGREGATE,
    DEFAULT,
    HEALTH_STATUS,
    METADATA,
    ROUTE,
    SEND_FEEDBACK,
    TRANSFORM_INPUT,
    TRANSFORM_OUTPUT,
    Call,
    Message,
)
from slipway_worker.contracts.seldon import SeldonAdapter
from slipway_worker.errors import SeldonMicroserviceException

from .support import call

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "compat"))

from seldon_core.user_model import SeldonComponent, SeldonNotImplementedError, SeldonResponse  # noqa: E402


class Arguments(unittest.TestCase):
    def test_meta_goes_to_those_that_take_it(self) -> None:
        class New:
            def predict(self, X: Any, names: Any, meta: Any = None) -> Any:
                return {"meta": meta}

        class Open:
            def predict(self, X: Any, names: Any, **rest: Any) -> Any:
                return rest

        class Old:
            def predict(self, X: Any, features_names: Any) -> Any:
                return {"names": features_names}

        self.assertEqual(call(New(), 1, meta={"puid": "p"}).value, {"meta": {"puid": "p"}})
        self.assertEqual(call(New(), 1).value, {"meta": None})
        self.assertEqual(call(New(), 1, grpc=True).value, {"meta": {}})
        self.assertEqual(call(Open(), 1, meta={"a": 1}).value, {"meta": {"a": 1}})
        self.assertEqual(call(Old(), 1, names=["n"], meta={"a": 1}).value, {"names": ["n"]})

    def test_a_type_error_of_user_code_is_answered_by_a_second_call_only_in_the_strict_mode(self) -> None:
        class Counts:
            calls = 0

            def predict(self, X: Any, names: Any, meta: Any = None) -> Any:
                self.calls += 1
                if self.calls == 1:
                    raise TypeError("inside")
                return {"calls": self.calls, "meta": meta}

        with self.assertRaisesRegex(TypeError, "inside"):
            call(Counts(), 1, meta={"a": 1})
        self.assertEqual(call(Counts(), 1, meta={"a": 1}, strict=True).value, {"calls": 2, "meta": None})

    def test_feedback_gets_reward_truth_and_routing(self) -> None:
        class Learns:
            def send_feedback(self, X: Any, names: Any, reward: Any, truth: Any, routing: Any = None) -> Any:
                return {"X": X, "names": names, "reward": reward, "truth": truth, "routing": routing}

        class Old:
            def send_feedback(self, X: Any, names: Any, reward: Any, truth: Any) -> Any:
                return None

        messages = [Message([[1.0]], ["a"]), Message([2.0], [])]
        feedback = Call(SEND_FEEDBACK, messages, {"reward": 0.5, "routing": 3}, False)
        wanted = {"X": [[1.0]], "names": ["a"], "reward": 0.5, "truth": [2.0], "routing": 3}
        self.assertEqual(SeldonAdapter(Learns()).call(feedback).value, wanted)
        answer = SeldonAdapter(Old()).call(feedback)
        self.assertEqual((answer.value, answer.is_absent), ([], True))
        with self.assertRaisesRegex(TypeError, "routing"):
            SeldonAdapter(Old(), strict=True).call(feedback)

    def test_a_combiner_gets_all_values_and_all_names(self) -> None:
        class Combines:
            def aggregate(self, Xs: Any, names_list: Any) -> Any:
                return {"Xs": Xs, "names": names_list}

        messages = [Message([1], ["a"]), Message("x", [])]
        answer = SeldonAdapter(Combines()).call(Call(AGGREGATE, messages, {}, False))
        self.assertEqual(answer.value, {"Xs": [[1], "x"], "names": [["a"], []]})


class Absent(unittest.TestCase):
    def test_what_a_plain_class_without_methods_answers(self) -> None:
        class Nothing:
            pass

        self.assertEqual(call(Nothing(), "x", TRANSFORM_INPUT).value, "x")
        self.assertEqual(call(Nothing(), "x", TRANSFORM_OUTPUT).value, "x")
        self.assertEqual(call(Nothing(), "x", HEALTH_STATUS).value, "healthy")
        self.assertEqual(call(Nothing(), "x", METADATA).value, {})
        feedback = call(Nothing(), [[1]], SEND_FEEDBACK)
        self.assertEqual((feedback.value, feedback.is_absent), ([], True))
        for method, text in ((ROUTE, "Route not defined"), (AGGREGATE, "Aggregate not defined"), (0, "Predict not defined")):
            with self.assertRaisesRegex(SeldonMicroserviceException, text):
                call(Nothing(), "x", method)
        self.assertEqual(call(Nothing(), "x", strict=True).value, [])
        self.assertEqual(call(Nothing(), "x", service="TRANSFORMER").value, [])

    def test_stubs_of_the_base_class_count_as_absent(self) -> None:
        class Empty(SeldonComponent):
            pass

        self.assertEqual(SeldonAdapter(Empty()).methods, [])
        self.assertEqual(call(Empty(), "x", TRANSFORM_INPUT).value, "x")
        self.assertEqual(call(Empty(), "x").value, [])
        self.assertEqual(call(Empty(), "x", HEALTH_STATUS).value, "not implemented - assuming healthy")
        with self.assertRaisesRegex(SeldonMicroserviceException, "route is not implemented"):
            call(Empty(), "x", ROUTE)

    def test_a_method_may_say_that_it_is_not_there(self) -> None:
        class Declines:
            def predict(self, X: Any, names: Any) -> Any:
                raise SeldonNotImplementedError("no")

            transform_input = predict

            def tags(self) -> Any:
                raise SeldonNotImplementedError("no")

        self.assertEqual(call(Declines(), "x").value, [])
        answer = call(Declines(), "x", TRANSFORM_INPUT)
        self.assertEqual((answer.value, answer.tags), ("x", {}))


class Additions(unittest.TestCase):
    def test_tags_and_metrics_of_the_answer_come_after_those_of_the_class(self) -> None:
        class Full:
            def predict(self, X: Any, names: Any) -> Any:
                return SeldonResponse(X, tags={"shared": "runtime"}, metrics=[{"type": "GAUGE", "key": "g", "value": 2}])

            def tags(self) -> Any:
                return {"static": 1, "shared": "static"}

            def metrics(self) -> Any:
                return [{"type": "COUNTER", "key": "c", "value": 1}]

        answer = call(Full(), "x")
        self.assertEqual(answer.value, "x")
        self.assertEqual(answer.tags, {"static": 1, "shared": "runtime"})
        self.assertEqual([metric["key"] for metric in answer.metrics or []], ["c", "g"])

    def test_a_bad_metric_loses_the_prediction(self) -> None:
        wrong: List[Any] = [{}, [{}], [{"type": "counter", "key": "k", "value": 1}], [{"type": "GAUGE", "key": "k", "value": "1"}], [1]]
        for bad in wrong:

            class Bad:
                def predict(self, X: Any, names: Any) -> Any:
                    return X

                def metrics(self, bad: Any = bad) -> Any:
                    return bad

            with self.subTest(bad), self.assertRaises(SeldonMicroserviceException) as caught:
                call(Bad(), "x")
            self.assertEqual((caught.exception.status_code, caught.exception.reason), (500, "MICROSERVICE_BAD_METRIC"))

    def test_class_names_are_asked_for_tables_only(self) -> None:
        class Named:
            def predict(self, X: Any, names: Any) -> Any:
                return X

            def class_names(self) -> Any:
                return ["p", "q"]

        class Attribute(Named):
            class_names = ["no", "yes"]  # type: ignore[assignment]

        self.assertEqual(call(Named(), [[1, 2]]).names, ["p", "q"])
        self.assertIs(call(Named(), [1, 2]).names, DEFAULT)
        self.assertIs(call(Named(), "text").names, DEFAULT)
        self.assertEqual(call(Attribute(), [[1, 2]]).names, ["no", "yes"])

    def test_an_outlier_detector_scores_what_it_passes_on(self) -> None:
        class Scores:
            def score(self, X: Any, names: Any) -> Any:
                return 0.25

        answer = call(Scores(), [[1]], TRANSFORM_INPUT, service="OUTLIER_DETECTOR")
        self.assertEqual((answer.value, answer.tags), ([[1]], {"outlierScore": 0.25}))
        self.assertIsNone(call(Scores(), [[1]], TRANSFORM_INPUT).tags)
        self.assertIsNone(call(Scores(), [[1]], TRANSFORM_INPUT, service="OUTLIER_DETECTOR", strict=True).tags)

    def test_a_route_must_be_a_python_int(self) -> None:
        class Router:
            def __init__(self, answer: Any) -> None:
                self.answer = answer

            def route(self, X: Any, names: Any) -> Any:
                return self.answer

        self.assertEqual(call(Router(2), "x", ROUTE).value, [[2]])
        self.assertEqual(call(Router(True), "x", ROUTE).value, [[True]])
        self.assertEqual(call(Router(SeldonResponse(22, tags={"a": 1})), "x", ROUTE).tags, {"a": 1})
        for wrong in (1.5, "1", None, [1]):
            with self.assertRaisesRegex(SeldonMicroserviceException, "Routing response must be int but got"):
                call(Router(wrong), "x", ROUTE)


class Raw(unittest.TestCase):
    def test_the_order_depends_on_the_transport_for_predictions_only(self) -> None:
        class All:
            def predict_rest(self, request: Any) -> Any:
                return {"by": "rest"}

            def predict_grpc(self, request: Any) -> Any:
                return {"by": "grpc"}

            def predict_raw(self, request: Any) -> Any:
                return {"by": "raw"}

            def transform_input_grpc(self, request: Any) -> Any:
                return {"by": "grpc"}

            def transform_input_raw(self, request: Any) -> Any:
                return {"by": "raw"}

        self.assertEqual(call(All(), {}, whole=True).value, {"by": "rest"})
        self.assertEqual(call(All(), {}, whole=True, grpc=True).value, {"by": "grpc"})
        self.assertEqual(call(All(), {}, TRANSFORM_INPUT, whole=True).value, {"by": "grpc"})
        self.assertTrue(call(All(), {}, TRANSFORM_INPUT, whole=True).is_raw)

    def test_a_whole_message_is_taken_apart_for_the_plain_method(self) -> None:
        class Declines:
            def predict_raw(self, message: Any) -> Any:
                raise SeldonNotImplementedError("no")

            def predict(self, X: Any, names: Any, meta: Any = None) -> Any:
                return {"X": X if isinstance(X, (str, bytes)) else [float(x) for row in X for x in row], "names": names, "meta": meta}

        whole = {"data": {"names": ["a"], "tensor": {"shape": [2, 1], "values": [1, 2]}}, "meta": {"puid": "p"}}
        self.assertEqual(call(Declines(), whole, whole=True).value, {"X": [1.0, 2.0], "names": ["a"], "meta": {"puid": "p"}})
        self.assertEqual(call(Declines(), {"binData": "AAE="}, whole=True).value["X"], b"\x00\x01")
        wrong: List[Any] = [{}, [1], "x"]
        for bad in wrong:
            with self.assertRaisesRegex(SeldonMicroserviceException, "Invalid request data type"):
                call(Declines(), bad, whole=True)

    def test_feedback_for_a_rest_method_is_json_text(self) -> None:
        class Rest:
            def send_feedback_rest(self, request: Any) -> Any:
                return {"type": type(request).__name__}

        self.assertEqual(call(Rest(), {"reward": 1}, SEND_FEEDBACK, whole=True).value, {"type": "str"})


class Metadata(unittest.TestCase):
    def test_only_a_dict_counts(self) -> None:
        class Good:
            def init_metadata(self) -> Any:
                return {"name": "m"}

        class Bad:
            def init_metadata(self) -> Any:
                return ["no"]

        self.assertEqual(SeldonAdapter(Good()).metadata, {"name": "m"})
        with self.assertLogs("slipway.seldon", "ERROR"):
            self.assertIsNone(SeldonAdapter(Bad()).metadata)


if __name__ == "__main__":
    unittest.main()
