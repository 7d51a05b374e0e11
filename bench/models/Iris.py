import numpy
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


class Iris:
    def __init__(self):
        X, y = load_iris(return_X_y=True)
        self.model = LogisticRegression(max_iter=500).fit(X, y)

    def predict(self, X, names):
        return self.model.predict_proba(numpy.asarray(X))
