"""A hundred steps of training beside an installed Keras."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

from curve_models import MODELS, OPTIMIZERS, curve

import kerasish

# Keras's own warnings are not ours to judge
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", MODELS)
def test_a_hundred_steps(model, optimizer):
    ours, theirs = curve(kerasish, model, optimizer), curve(keras, model, optimizer)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-4, atol=1e-4)
