"""Recurrent layers in every combination of their options, beside an installed Keras."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

from layer_row import flat
from recurrent_cases import CASES, X

import kerasish

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_outputs_of_two_calls(case):
    """Two, since what a stateful layer computes depends on the call before.

    What stands at steps masked from the start on is the state a stateful layer begins with; Keras's unrolled loop alone
    has zeros there. Ours is what its loop computes, unrolled or not.
    """
    theirs, ours = case.make(keras), case.make(kerasish)
    if case.masked and case.options["stateful"]:
        theirs.unroll = False
    for x in (X, X[:, ::-1].copy()):
        expected, found = flat(theirs(x, **case.call)), flat(ours(x, **case.call))
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-5, atol=1e-5)
