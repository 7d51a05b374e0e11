"""Prints how many of a frozen graph's answers have their highest score at the label. Reads JSON from standard input; arrays are base64."""
import base64
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1
job = json.load(sys.stdin)
definition = tf1.GraphDef()
with open(job["graph"], "rb") as file:
    definition.ParseFromString(file.read())
with tf1.Graph().as_default() as graph:
    tf1.import_graph_def(definition, name="")
pixels = np.frombuffer(base64.b64decode(job["pixels"]), np.float32).reshape(job["shape"])
labels = np.frombuffer(base64.b64decode(job["labels"]), np.uint8)
with tf1.Session(graph=graph) as session:
    scores = session.run(job["output"], {job["input"]: pixels})
print(int((scores.argmax(1) == labels).sum()))
