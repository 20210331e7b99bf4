"""Every form of compile's arguments gives Keras's history and evaluation: names and numbers; bad ones give its errors."""

import json
import pathlib

import numpy as np
import pytest
from compile_cases import CASES, ERRORS, compared

import kerasish as keras

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden/compile.json").read_text())


@pytest.fixture(autouse=True)
def fresh_names():
    keras.utils.clear_session()


@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # of an output without a loss
@pytest.mark.parametrize("case", CASES)
def test_compiled(case):
    found, want = CASES[case](keras), GOLDEN[case]
    assert sorted(found) == sorted(want)
    for key in compared(case, want):
        np.testing.assert_allclose(np.reshape(found[key], -1), want[key], rtol=1e-4, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    assert ERRORS[case](keras) == GOLDEN[case]
