"""Fits a random forest on iris and keeps the model, and what the library itself answers for every tenth row."""

import json
from pathlib import Path

import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

HERE = Path(__file__).parent
iris = load_iris()
model = RandomForestClassifier(n_estimators=50, random_state=0).fit(iris.data, iris.target)
rows = iris.data[::10]

joblib.dump(model, HERE / "model.joblib")
expected = {"rows": rows.tolist(), "probabilities": model.predict_proba(rows).tolist(), "names": iris.target_names.tolist()}
(HERE / "expected.json").write_text(json.dumps(expected))
print(f"trained on {len(iris.data)} rows, training accuracy {model.score(iris.data, iris.target):.3f}")
