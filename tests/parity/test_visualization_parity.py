"""Masks are drawn as Keras draws them."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

from mask_cases import CASES, draw

import kerasish

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("case", CASES)
def test_masks(case):
    ours, theirs = draw(kerasish, case), draw(keras, case)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)
