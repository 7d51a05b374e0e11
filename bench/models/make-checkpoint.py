"""make-checkpoint.py FOLDER ROWS: ten variables of ROWS x 256 random floats, and an output `y` that reads them all."""
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1
tf1.disable_v2_behavior()
folder, rows = sys.argv[1], int(sys.argv[2])
y = tf1.placeholder(tf.float32, [None, 4], name="x")
variables = []
for index in range(10):
    variables.append(tf1.get_variable("w%d" % index, [rows, 256], initializer=tf1.zeros_initializer()))
    y += tf.reduce_sum(variables[-1][:1, :4], axis=0)
tf.identity(y, name="y")
with tf1.Session() as session:
    for variable in variables:
        variable.load(np.random.rand(rows, 256).astype(np.float32), session)
    tf1.train.Saver().save(session, os.path.join(folder, "model.ckpt"), 1)
