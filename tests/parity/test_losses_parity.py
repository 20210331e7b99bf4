"""Losses beside an installed Keras: on random data, in every reduction, weighted, masked, of ragged batches and of none."""

import json
import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

from loss_rows import ROWS, WHOLE, cases, inputs, make

import kerasish

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]  # Keras's own warnings are not ours to judge

UNREADABLE = {name for name in ROWS if name.startswith("CategoricalGeneralized")}  # by Keras itself: it is not in its table


@pytest.mark.parametrize("name", ROWS)
def test_values(name):
    ours, theirs = (cases(k, name, seed=5, n=5) for k in (kerasish, keras))
    assert ours.keys() == theirs.keys()
    for title, wanted in theirs.items():
        assert ours[title].shape == wanted.shape and ours[title].dtype == wanted.dtype, title
        scale = max(1.0, float(np.abs(wanted).max(initial=0)))
        np.testing.assert_allclose(ours[title], wanted, rtol=1e-6, atol=1e-6 * scale, err_msg=title)


@pytest.mark.parametrize("name", ROWS)
def test_a_batch_of_one(name):
    for reduction in ("sum_over_batch_size", None):
        ours, theirs = (np.asarray(make(k, name, reduction=reduction)(*inputs(name, seed=1, n=1))) for k in (kerasish, keras))
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ROWS)
def test_no_samples(name):
    """Keras keeps the values of no samples, where here they are summed to 0."""
    ours, theirs = (np.asarray(make(k, name, reduction=None)(*inputs(name, n=0))) for k in (kerasish, keras))
    assert ours.shape == theirs.shape
    ours, theirs = (np.asarray(make(k, name)(*inputs(name, n=0))) for k in (kerasish, keras))
    assert np.array_equal(ours, theirs) if theirs.size else ours == 0
    assert theirs.size or name not in WHOLE


@pytest.mark.parametrize("name", ROWS)
def test_configs_both_ways(name):
    ours, theirs = (json.loads(json.dumps(k.losses.serialize(make(k, name)))) for k in (kerasish, keras))
    y = inputs(name)
    if name not in UNREADABLE:
        again = np.asarray(keras.losses.deserialize(ours)(*y))
        np.testing.assert_allclose(again, np.asarray(make(kerasish, name)(*y)), rtol=1e-6, atol=1e-6)
    again = kerasish.losses.deserialize(theirs)
    assert {k: again.get_config()[k] for k in theirs["config"]} == theirs["config"]


@pytest.mark.parametrize("name", ["mse", "MSE", "mae", "mape", "msle", "kld", "KLD", "log_cosh", "LogCosh", "kl_divergence",
                                  "hinge", "Hinge", "BinaryCrossentropy", "binary_crossentropy", "ctc", "CTC", "huber"])  # fmt: skip
def test_get(name):
    ours, theirs = kerasish.losses.get(name), keras.losses.get(name)
    assert getattr(ours, "__name__", type(ours).__name__) == getattr(theirs, "__name__", type(theirs).__name__)
