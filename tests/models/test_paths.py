"""The paths of variables in models."""

import pytest
from path_cases import PATHS

import kerasish


@pytest.mark.parametrize("case", PATHS)
def test_paths(case):
    make, paths = PATHS[case]
    assert [w.path for w in make(kerasish).weights] == paths
