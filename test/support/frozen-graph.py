"""Runs frozen graphs in TensorFlow and holds them against stored answers.

Reads a JSON list from standard input: {"graph": path, "runs": [{"feeds", "expected"}], "tolerance": number or null}; arrays are dtype, shape and
base64 (`b64`, or `b64s` for text). Prints one JSON list of differences.
"""
import base64
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1


def decode(array):
    if array["dtype"] == "string":
        out = np.empty(len(array["b64s"]), dtype=object)
        out[:] = [base64.b64decode(text) for text in array["b64s"]]
        return out.reshape(array["shape"])
    dtype = np.dtype(tf.as_dtype(array["dtype"]).as_numpy_dtype)
    return np.frombuffer(base64.b64decode(array["b64"]), dtype=dtype).reshape(array["shape"])


def difference(got, wanted, tolerance):
    if got.shape != wanted.shape:
        return "shape %s, wanted %s" % (got.shape, wanted.shape)
    if got.dtype == object or tolerance is None:
        same = got.tolist() == wanted.tolist() if got.dtype == object else got.tobytes() == wanted.tobytes()
        return None if same else "other bytes"
    close = np.allclose(got, wanted, rtol=tolerance, atol=tolerance)
    return None if close else "differs by %g" % np.max(np.abs(got - wanted))


def check(job):
    definition = tf1.GraphDef()
    with open(job["graph"], "rb") as file:
        definition.ParseFromString(file.read())
    graph = tf1.Graph()
    with graph.as_default():
        tf1.import_graph_def(definition, name="")
    with tf1.Session(graph=graph) as session:
        for run in job["runs"]:
            names = list(run["expected"])
            feeds = {name: decode(array) for name, array in run["feeds"].items()}
            for name, got in zip(names, session.run(names, feeds)):
                wrong = difference(np.asarray(got), decode(run["expected"][name]), job["tolerance"])
                if wrong:
                    yield "%s %s: %s" % (job["graph"], name, wrong)


print(json.dumps([wrong for job in json.load(sys.stdin) for wrong in check(job)]))
