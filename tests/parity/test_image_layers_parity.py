"""Image layers beside those of an installed Keras: the same transformation, drawn by either, does the same in both."""

import json
import os
import random

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from image_layer_cases import CASES, packed, results, unpacked

import kerasish

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:.*Explicitly requested dtype int64:UserWarning"),  # by Keras's MixUp
]
EVERY = pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
WHOLE = ("Equalization", "AugMix")  # halves of whole numbers are rounded either way


@pytest.fixture(autouse=True)
def the_same_draws():
    """Keras chooses AugMix's layers with Python's own generator."""
    random.seed(7)


def close(got, wanted, case):
    assert set(got) == set(wanted)
    for name, array in wanted.items():
        assert got[name].shape == array.shape
        whole = case.layer in WHOLE and name == "images"
        loose = 1 if whole else 5e-3 if array.max() > 2 else 2e-5
        near = np.isclose(got[name], array, rtol=1e-4, atol=loose)
        # a layer that follows Equalization in AugMix's chain can make much of a half: of few pixels
        if not (whole and near.mean() > 0.99):
            np.testing.assert_allclose(got[name], array, rtol=1e-4, atol=loose, err_msg=name)


def as_arrays(transformation):
    arrays = {}
    return unpacked(packed(transformation, arrays), arrays)


@EVERY
def test_what_keras_draws(case):
    theirs, data = case.make(keras), case.data()
    drawn = theirs.get_random_transformation(data["images"] if case.layer == "RandomGrayscale" else data)
    close(results(case.make(kerasish), case, as_arrays(drawn)), results(theirs, case, drawn), case)


# drawn here as more than Keras needs: which layers and where, and all that any of them would do
OWN_FORM = ("RandomCrop", "AugMix")


@pytest.mark.parametrize("case", [c for c in CASES if c.layer not in OWN_FORM], ids=lambda c: c.id)
def test_what_is_drawn_here(case):
    ours = case.make(kerasish)
    drawn = as_arrays(ours.get_random_transformation(case.data()))
    given = keras.tree.map_structure(lambda x: keras.ops.convert_to_tensor(x) if isinstance(x, np.ndarray) else x, drawn)
    close(results(ours, case, drawn), results(case.make(keras), case, given), case)


# Keras can't make these again from their own configs: a pair with a negative number, an unknown key
NOT_AGAIN = ("RandomShear",)


@EVERY
def test_configs_both_ways(case):
    ours, theirs = case.make(kerasish), case.make(keras)
    plain = json.loads(json.dumps(theirs.get_config()))
    again = json.loads(json.dumps(type(ours).from_config(plain).get_config()))
    for key, value in plain.items():
        if key != "dtype":
            assert again[key] == value, key
    if case.layer not in NOT_AGAIN:
        type(theirs).from_config(json.loads(json.dumps(ours.get_config())))


@EVERY
def test_without_training(case):
    images = case.data()["images"]
    wanted = np.asarray(case.make(keras)(images, training=False))
    got = np.asarray(case.make(kerasish)(images, training=False))
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=5e-3)
