"""freeze-checkpoint.py PREFIX OUTPUTS FILE: TensorFlow's own freezing, as its users write it."""
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

tf1 = tf.compat.v1
tf1.disable_v2_behavior()
prefix, outputs, path = sys.argv[1:]
saver = tf1.train.import_meta_graph(prefix + ".meta", clear_devices=True)
with tf1.Session() as session:
    saver.restore(session, prefix)
    graph = tf1.get_default_graph().as_graph_def()
    frozen = tf1.graph_util.convert_variables_to_constants(session, graph, outputs.split(","))
with open(path, "wb") as file:
    file.write(frozen.SerializeToString())
