"""Models that Keras 1.2.2 wrote over TensorFlow 1.4, with the answers that it gave, read by the Keras of today.

The files in `test/fixtures/keras1` have random weights and every layer that is read; `TF_USE_LEGACY_KERAS=1` has `tf_keras` read them.
"""

from __future__ import annotations

import json
import os
import sys
import unittest
from typing import Any

from slipway_worker.contracts import keras1

_FILES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "test", "fixtures", "keras1")


def text_of(name: str) -> str:
    with open(os.path.join(_FILES, name), encoding="utf-8") as file:
        return file.read()


class Refusals(unittest.TestCase):
    """No Keras is needed to refuse."""

    def layer(self, kind: str, **own: Any) -> str:
        with self.assertRaises(keras1.Unreadable) as caught:
            keras1._layer({"class_name": kind, "config": {"name": "one", **own}}, None, {})
        return str(caught.exception)

    def test_what_is_not_the_same_is_named(self) -> None:
        self.assertIn('class LSTM ("one")', self.layer("LSTM"))
        self.assertIn('activation "hard_sigmoid"', self.layer("Dense", activation="hard_sigmoid"))
        self.assertIn("mode 2", self.layer("BatchNormalization", mode=2))
        self.assertIn("mode dot", self.layer("Merge", mode="dot"))

    def test_a_model_without_input_shape(self) -> None:
        with self.assertRaisesRegex(keras1.Unreadable, "input shape"):
            keras1.model_of({"class_name": "Sequential", "config": [{"class_name": "Flatten", "config": {"name": "f"}}]}, None, {})

    def test_only_files_of_keras_1(self) -> None:
        self.assertTrue(keras1.is_keras1(json.loads(text_of("sequence.json"))))
        self.assertFalse(keras1.is_keras1({"class_name": "Sequential", "keras_version": "2.0.8"}))
        self.assertFalse(keras1.is_keras1(["no model"]))


class Models(unittest.TestCase):
    keras: Any

    @classmethod
    def setUpClass(cls) -> None:
        watching = len(sys.meta_path)
        keras1.watch_keras()
        cls.addClassCleanup(sys.meta_path.__delitem__, slice(0, len(sys.meta_path) - watching))
        try:
            import tensorflow  # type: ignore[import-not-found,import-untyped,unused-ignore]

            cls.keras = tensorflow.keras
        except ImportError:
            raise unittest.SkipTest("TensorFlow is not installed") from None

    def compare(self, model: Any, name: str) -> None:
        import numpy

        answers = json.loads(text_of("answers.json"))[name]
        inputs = [numpy.array(value) for value in answers["inputs"]]
        given = model.predict(inputs if len(inputs) > 1 else inputs[0])
        for found, expected in zip(given if isinstance(given, list) else [given], answers["outputs"]):
            numpy.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)

    def test_description_and_weights_in_two_files(self) -> None:
        for name in ("sequence", "graph"):
            model = self.keras.models.model_from_json(text_of(name + ".json"))
            model.load_weights(os.path.join(_FILES, name + ".h5"))
            self.compare(model, name)

    def test_all_in_one_file(self) -> None:
        self.compare(self.keras.models.load_model(os.path.join(_FILES, "whole.h5")), "sequence")

    def test_a_class_of_the_users_own(self) -> None:
        made = self.keras.models.model_from_json(
            json.dumps(
                {
                    "class_name": "Sequential",
                    "keras_version": "1.2.2",
                    "config": [
                        {"class_name": "Dense", "config": {"name": "d", "output_dim": 2, "batch_input_shape": [None, 3]}},
                        {"class_name": "Mine", "config": {"name": "m"}},
                    ],
                }
            ),
            custom_objects={"Mine": self.keras.layers.Flatten},
        )
        self.assertEqual([layer.name for layer in made.layers if layer.name in ("d", "m")], ["d", "m"])

    def test_models_of_today_are_read_as_ever(self) -> None:
        today = self.keras.Sequential([self.keras.Input((3,)), self.keras.layers.Dense(2)])
        self.assertEqual(self.keras.models.model_from_json(today.to_json()).count_params(), 8)


if __name__ == "__main__":
    unittest.main()
