"""A model after one step."""

import numpy as np


def trained(k, factor=1.0):
    model = k.Sequential([k.Input((2,)), k.layers.BatchNormalization(name="norm"), k.layers.Dense(1, name="d")], name="m")
    model.set_weights([np.full(w.shape, factor, "float32") for w in model.get_weights()])
    model.compile(k.optimizers.SGD(name="sgd"), "mse", metrics=["mae"])
    model.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0)
    return model
