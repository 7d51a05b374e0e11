"""A model with a fixed cost for each call and a small one for each row, as most models have them."""

import time


class Model:
    def predict(self, inputs):
        time.sleep(0.005 + 0.0001 * len(inputs["x"]))
        return {"y": inputs["x"]}
