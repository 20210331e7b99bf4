"""Passes that put several statements into one: they are there where they should be, and change no number."""

import numpy as np
import pytest

from kerasish import ops
from kerasish.engine.static import function

_rng = np.random.default_rng(3)
X = _rng.normal(size=(6, 5, 4, 3)).astype("float32")
ROWS = _rng.normal(size=(7, 40)).astype("float32")


@pytest.mark.parametrize("keepdims", [False, True])
def test_sums_of_products_over_rows_are_dot_products(keepdims):
    def f(x):
        return ops.sum(ops.square(x), axis=-1, keepdims=keepdims), ops.sum(x * ops.exp(x), axis=-1, keepdims=keepdims)

    program = function(f)
    for got, wanted in zip(program(ROWS), f(ops.convert_to_tensor(ROWS)), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5)
    assert program.programs[-1].source.count("row_dot(") == 2


def test_short_rows_and_products_that_are_read_elsewhere_are_summed():
    def f(x):
        y = x * ops.exp(x)
        return ops.sum(y, axis=-1), y, ops.sum(ops.square(x[:, :8]), axis=-1)

    program = function(f)
    for got, wanted in zip(program(ROWS), f(ops.convert_to_tensor(ROWS)), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5)
    assert "row_dot(" not in program.programs[-1].source


def merged(x):
    return ops.reshape(ops.transpose(ops.exp(x), (0, 2, 1, 3)), (-1, 60)) * 2


def split(x):
    return ops.reshape(ops.transpose(ops.exp(x), (0, 2, 1, 3)), (-1, 4, 5, 3, 1)) * 2


@pytest.mark.parametrize(("f", "copies"), [(merged, 1), (split, 0)])
def test_copies_that_reshapes_make_have_planned_memory(f, copies):
    program = function(f)
    np.testing.assert_allclose(program(X), f(ops.convert_to_tensor(X)), rtol=1e-5)
    assert program.programs[-1].source.count("contiguous(") == copies
