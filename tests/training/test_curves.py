"""A hundred steps of training are Keras's: losses and outputs, by the static program and eagerly."""

import pathlib

import numpy as np
import pytest
from curve_models import MODELS, OPTIMIZERS, curve

import kerasish as keras

GOLDEN = pathlib.Path(__file__).parents[1] / "golden/curves.npz"


@pytest.fixture(scope="module")
def numbers():
    with np.load(GOLDEN) as file:
        return dict(file)


@pytest.mark.parametrize("eager", [False, True], ids=["static", "eager"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", MODELS)
def test_a_hundred_steps(model, optimizer, eager, numbers):
    losses, before, after = curve(keras, model, optimizer, run_eagerly=eager)
    np.testing.assert_allclose(before, numbers[f"{model} {optimizer} before"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(losses, numbers[f"{model} {optimizer} losses"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(after, numbers[f"{model} {optimizer} after"], rtol=1e-3, atol=1e-3)
