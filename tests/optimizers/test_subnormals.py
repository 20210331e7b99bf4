"""After an epoch, fit sets what is nearly zero in an optimizer's averages to zero."""

import numpy as np
import pytest

import kerasish as keras


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("size", [3, 70_001])
def test_numbers_below_the_smallest_normal_one_become_zero(size, dtype):
    tiny = np.finfo(dtype).tiny
    given = {0.0: 0.0, tiny: tiny, -tiny: -tiny, tiny / 2: 0.0, -tiny / 2: 0.0, np.inf: np.inf, 3.0: 3.0}
    variable = keras.Variable(np.zeros(size, dtype), dtype=dtype)
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    optimizer.build([variable])
    for value, expected in given.items():
        average = np.ones(size, dtype)
        average[-1] = value
        optimizer.variables[-1].assign(average)
        optimizer.end_epoch()
        np.testing.assert_array_equal(optimizer.variables[-1], np.append(np.ones(size - 1, dtype), np.array(expected, dtype)))


def test_nan_stays():
    variable = keras.Variable(np.zeros(2, "float32"))
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    optimizer.build([variable])
    optimizer.variables[-1].assign(np.array([np.nan, 1e-40], "float32"))
    optimizer.end_epoch()
    np.testing.assert_array_equal(optimizer.variables[-1], np.array([np.nan, 0], "float32"))
