"""Serves the forest: one probability per species for each row of four lengths in centimetres."""

import os

import joblib

FEATURES = ["sepal length", "sepal width", "petal length", "petal width"]
SPECIES = ["setosa", "versicolor", "virginica"]

class IrisClassifier:
    def __init__(self):
        self.model = None

    def load(self):
        self.model = joblib.load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "model.joblib"))

    def predict(self, X, names=None, meta=None):
        return self.model.predict_proba(X)

    def class_names(self):
        return SPECIES

    def init_metadata(self):
        return {
            "name": "iris",
            "versions": ["1"],
            "inputs": [{"messagetype": "tensor", "schema": {"names": FEATURES, "shape": [4]}}],
            "outputs": [{"messagetype": "tensor", "schema": {"names": SPECIES, "shape": [3]}}],
        }
