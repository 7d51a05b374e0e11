"""Fits a small network on the digits data set, exports it as ONNX, and keeps scikit-learn's own answers for every hundredth row."""

import json
from pathlib import Path

import numpy
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

HERE = Path(__file__).parent
digits = load_digits()
data = (digits.data / 16).astype(numpy.float32)
model = MLPClassifier(hidden_layer_sizes=(64,), max_iter=600, random_state=0).fit(data, digits.target)
rows = data[::100]

onnx_model = to_onnx(model, data[:1], options={"zipmap": False})
(HERE / "model.onnx").write_bytes(onnx_model.SerializeToString())
expected = {"rows": rows.tolist(), "labels": model.predict(rows).tolist(), "probabilities": model.predict_proba(rows).tolist()}
(HERE / "expected.json").write_text(json.dumps(expected))
print(f"trained on {len(data)} images, training accuracy {model.score(data, digits.target):.3f}")
