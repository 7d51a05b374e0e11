"""The API of TensorFlow 1 on the TensorFlow that is installed. It changes the whole process, so each case has one of its own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import unittest

_PYTHON = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_HAS_OLD_KERAS = importlib.util.find_spec("tf_keras") is not None


def run(code: str) -> str:
    start = "from slipway_worker.contracts.tf1 import use_tf1\nuse_tf1()\nimport tensorflow as tf\n"
    done = subprocess.run([sys.executable, "-c", start + code], cwd=_PYTHON, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else done.stderr.strip().rpartition("\n")[2]


class Missing(unittest.TestCase):
    def test_without_tensorflow_it_says_so(self) -> None:
        if importlib.util.find_spec("tensorflow") is not None:
            self.skipTest("TensorFlow is installed")
        self.assertEqual(run(""), "ModuleNotFoundError: SLIPWAY_TF1_COMPAT asks for the API of TensorFlow 1, but no TensorFlow is installed")


@unittest.skipIf(importlib.util.find_spec("tensorflow") is None, "TensorFlow is not installed")
class Version1(unittest.TestCase):
    def test_graphs_and_sessions(self) -> None:
        code = """
x = tf.placeholder(tf.float32, [None, 2])
w = tf.get_variable("w", [2, 1], initializer=tf.ones_initializer())
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    print(tf.executing_eagerly(), session.run(tf.matmul(x, w), {x: [[1, 2]]}).tolist())
"""
        self.assertEqual(run(code), "False [[3.0]]\n")

    def test_parts_of_the_package(self) -> None:
        code = """
import tensorflow.train, tensorflow.compat.v1 as v1, tensorflow.compat.v2 as v2
from tensorflow.python.framework import ops
from tensorflow.python.platform import gfile
from tensorflow.core.framework import graph_pb2
from tensorflow.lite.python import lite
from tensorflow.keras.models import load_model
tf.app.flags, tf.gfile.GFile, tf.logging.info, tf.python_io.TFRecordWriter, tf.saved_model.loader.load
print(tf.train.Saver is tensorflow.train.Saver, v1.Session is tf.Session, hasattr(tf, "contrib"))
"""
        self.assertEqual(run(code), "True True False\n")

    def test_what_is_gone_is_explained(self) -> None:
        code = """
for line in ("tf.contrib.slim", "import tensorflow.contrib.slim", "from tensorflow.contrib import rnn", "from tensorflow.examples import x", "tf.nonesuch"):
    try:
        exec(line)
    except (AttributeError, ModuleNotFoundError) as error:
        print(type(error).__name__, error)
"""
        contrib = "TensorFlow 2 has no tensorflow.contrib: slim and contrib.layers live on as the package tf_slim, the rest has to be written anew"
        examples = "TensorFlow 2 has no tensorflow.examples: what it read has to be read by other means"
        kinds = ["AttributeError ", *["ModuleNotFoundError "] * 3, "AttributeError "]
        expected = [contrib, contrib, contrib, examples, "module 'tensorflow' has no attribute 'nonesuch'"]
        self.assertEqual(run(code).splitlines(), [kind + text for kind, text in zip(kinds, expected)])

    @unittest.skipUnless(_HAS_OLD_KERAS, "tf_keras is not installed")
    def test_keras_with_sessions(self) -> None:
        code = """
import numpy
from keras import backend as K
from keras.models import Sequential
from keras.layers import Dense
K.set_session(tf.Session())
model = Sequential([Dense(2, input_shape=(3,), kernel_initializer="ones")])
print(model.predict(numpy.array([[1.0, 2.0, 3.0]])).tolist(), tf.layers.dense(tf.placeholder(tf.float32, [None, 3]), 2).shape.as_list())
"""
        self.assertEqual(run(code).splitlines()[-1], "[[6.0, 6.0]] [None, 2]")


if __name__ == "__main__":
    unittest.main()
