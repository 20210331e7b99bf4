"""Whole fits beside an installed Keras: history, evaluate, predictions and weights at the end."""

import os
import pathlib
import sys

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "training"))
from whole_fits import CASES, TOLERANCE, compare

import kerasish

keras = pytest.importorskip("keras")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("case", CASES)
def test_whole_fits(case):
    found = []
    for k in (kerasish, keras):
        k.utils.clear_session()
        found.append(CASES[case](k))
    compare(*found, TOLERANCE.get(case, 1e-4))
