"""compile's arguments beside an installed Keras: the same names, numbers and errors."""

import pathlib
import sys

import numpy as np
import pytest

import kerasish

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "training"))
from compile_cases import CASES, ERRORS, compared

keras = pytest.importorskip("keras")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("case", CASES)
def test_compiled(case):
    found = []
    for k in (keras, kerasish):
        k.utils.clear_session()
        found.append(CASES[case](k))
    want, ours = found
    assert sorted(ours) == sorted(want)
    for key in compared(case, want):
        np.testing.assert_allclose(np.ravel(ours[key]), np.ravel(want[key]), rtol=1e-4, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    assert ERRORS[case](kerasish) == ERRORS[case](keras)
