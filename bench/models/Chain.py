class Chain:
    """Any node of a graph; what comes in goes out."""

    def predict(self, X, names):
        return X

    def transform_input(self, X, names):
        return X

    def transform_output(self, X, names):
        return X
