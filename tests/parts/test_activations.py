"""Every activation: numbers, signatures and configs are Keras's, and gradients are differences."""

import inspect
import json
import pathlib

import numpy as np
import pytest

import kerasish as keras

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
NUMBERS = dict(np.load(GOLDEN / "activations.npz"))
FORMS = json.loads((GOLDEN / "activations.json").read_text())
ARGUMENTS = {"threshold": (0.3, -2.0)}
X = NUMBERS["x"]


@pytest.mark.parametrize("name", FORMS)
def test_numbers(name):
    y = getattr(keras.activations, name)(X, *ARGUMENTS.get(name, ()))
    assert y.dtype == "float32"
    if name == "sparsemax":  # Keras's does not sum to one
        np.testing.assert_allclose(np.asarray(y).sum(-1), 1, rtol=1e-6)
        return
    np.testing.assert_allclose(np.asarray(y), NUMBERS[name], rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", FORMS)
def test_signature(name):
    ours = inspect.signature(getattr(keras.activations, name)).parameters.values()
    assert [[p.name, None if p.default is p.empty else p.default] for p in ours] == FORMS[name]["parameters"]


@pytest.mark.parametrize("name", FORMS)
def test_config(name):
    function = getattr(keras.activations, name)
    assert keras.activations.serialize(function) == FORMS[name]["config"]
    assert keras.activations.get(name) is keras.activations.deserialize(FORMS[name]["config"]) is function


@pytest.mark.parametrize("name", FORMS)
def test_gradient(name):
    keras.config.set_floatx("float64")
    try:
        function, x = getattr(keras.activations, name), X.astype("float64")
        d = np.random.RandomState(0).uniform(-1, 1, x.shape)
        c = np.random.RandomState(1).uniform(0.5, 1.5, NUMBERS[name].shape)

        def loss(t):
            return keras.ops.sum(function(t, *ARGUMENTS.get(name, ())) * c)

        slope = float(np.sum(np.asarray(keras.grad(loss)(keras.ops.convert_to_tensor(x))) * d))
        step = 1e-6
        assert slope == pytest.approx((float(loss(x + step * d)) - float(loss(x - step * d))) / (2 * step), rel=1e-5, abs=1e-6)
    finally:
        keras.config.set_floatx("float32")
