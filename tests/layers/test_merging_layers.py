"""Merging inputs of different ranks, and inputs that do not fit."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers

rng = np.random.default_rng(0)
ROWS, STEPS = rng.normal(size=(2, 4)).astype("float32"), rng.normal(size=(2, 3, 4)).astype("float32")
JOINED = {
    "Add": np.add, "Subtract": np.subtract, "Multiply": np.multiply, "Maximum": np.maximum, "Minimum": np.minimum,
    "Average": lambda a, b: (a + b) / 2,
}  # fmt: skip


@pytest.mark.parametrize("name", JOINED)
def test_axes_are_added_after_that_of_the_batch(name):
    want = JOINED[name](ROWS[:, None], STEPS)
    np.testing.assert_allclose(getattr(layers, name)()([ROWS, STEPS]), want, rtol=1e-6)
    np.testing.assert_allclose(getattr(layers, name)()([STEPS, ROWS]), JOINED[name](STEPS, ROWS[:, None]), rtol=1e-6)
    inputs = [keras.Input((4,)), keras.Input((3, 4))]
    model = keras.Model(inputs, getattr(layers, name)()(inputs))
    assert model.output_shape == (None, 3, 4)
    np.testing.assert_allclose(model.predict([ROWS, STEPS], verbose=0), want, rtol=1e-6)


@pytest.mark.parametrize("shapes", [[(3,), (4,)], [(3, 2), (4, 2)], [(3, 2), (3,)]], ids=str)
def test_shapes_that_do_not_fit(shapes):
    with pytest.raises(ValueError, match="Add: inputs have incompatible shapes"):
        layers.Add()([keras.Input(s) for s in shapes])


@pytest.mark.parametrize("axis, shapes", [(-1, [(3, 2), (4, 2)]), (1, [(3, 2), (3, 4)]), (-1, [(3,), (4, 5)])], ids=str)
def test_what_cannot_be_concatenated(axis, shapes):
    with pytest.raises(ValueError, match="Concatenate: inputs have incompatible shapes"):
        layers.Concatenate(axis)([keras.Input(s) for s in shapes])
