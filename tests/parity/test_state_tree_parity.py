"""The state of a model has the form that Keras gives it, and goes both ways."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

from state_tree_case import trained

import kerasish

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


def test_the_same_tree():
    ours, theirs = (trained(k).get_state_tree(value_format="numpy_array") for k in (kerasish, keras))
    keras.tree.assert_same_structure(ours, theirs)
    for a, b in zip(keras.tree.flatten(ours), keras.tree.flatten(theirs)):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_their_state_in_our_model():
    theirs, ours = trained(keras, factor=2.0), trained(kerasish)
    ours.set_state_tree(theirs.get_state_tree(value_format="numpy_array"))
    x = np.array([[1.0, 2.0]], "float32")
    np.testing.assert_allclose(np.asarray(ours(x)), np.asarray(theirs(x)), rtol=1e-5)
