"""Writes a SavedModel of TensorFlow 2 with a condition, a nested function and several variables, and prints what it answers."""
import base64
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

folder = json.load(sys.stdin)["folder"]


class Model(tf.Module):
    def __init__(self):
        self.w = tf.Variable(np.arange(12, dtype=np.float32).reshape(4, 3) / 7, name="same")
        self.b = tf.Variable(np.array([1.0, -2.0, 0.5], np.float32), name="same")
        self.table = tf.Variable(np.arange(20, dtype=np.float32).reshape(5, 4), name="table")

    @tf.function
    def inner(self, x):
        return tf.matmul(x, self.w)

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32), tf.TensorSpec([None], tf.int32)])
    def serve(self, x, rows):
        y = self.inner(x + tf.gather(self.table, rows))
        y = tf.cond(tf.reduce_sum(y) > 0, lambda: y + self.b, lambda: y - self.b)
        for _ in tf.range(2):
            y = y * 0.5 + self.b
        return {"out": y}


model = Model()
tf.saved_model.save(model, folder, signatures=model.serve)
x, rows = np.array([[1, 2, 3, 4], [-9, -8, -7, 2]], np.float32), np.array([1, 3], np.int32)
answer = model.serve(x, rows)["out"].numpy()


def array(value):
    return {"dtype": value.dtype.name, "shape": value.shape, "b64": base64.b64encode(value.tobytes()).decode()}


feeds = {"serving_default_x:0": array(x), "serving_default_rows:0": array(rows)}
print(json.dumps({"runs": [{"feeds": feeds, "expected": {"StatefulPartitionedCall:0": array(answer)}}]}))
