"""The guard against leaks sees every leak, and mends it."""

import conftest
import numpy as np
import pytest

from kerasish import dtype_policies
from kerasish.base import config, naming, registry

LEAKS = {
    "config floatx": lambda: config.set_floatx("float64"),
    "config epsilon": lambda: config.set_epsilon(1e-3),
    "config image_data_format": lambda: config.set_image_data_format("channels_first"),
    "dtype policy": lambda: dtype_policies.set_dtype_policy("mixed_float16"),
    "custom objects": lambda: registry.get_custom_objects().update(mine=int),
    "names of custom objects": lambda: registry.register_keras_serializable(name="mine")(lambda x: x),
    "open custom object scopes": lambda: registry.CustomObjectScope({"mine": int}).__enter__(),
    "open name scopes": lambda: naming._scopes().append("left_open"),
    "NumPy's floating-point error handling": lambda: np.seterr(over="raise"),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_is_seen_and_mended(name):
    before = conftest.global_state()
    LEAKS[name]()
    found = conftest.leaks(before, conftest.global_state())
    conftest.restore(before)
    assert any(line.startswith(f"{name}: ") for line in found)
    assert conftest.leaks(before, conftest.global_state()) == []


def test_no_change_is_no_leak():
    assert conftest.leaks(conftest.global_state(), conftest.global_state()) == []
