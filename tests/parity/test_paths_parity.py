"""The paths of variables in models are Keras's."""

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

from path_cases import PATHS

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("case", PATHS)
def test_paths(case):
    make, paths = PATHS[case]
    assert [w.path for w in make(keras).weights] == paths
