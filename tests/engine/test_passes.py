"""Passes that put several statements into one: they are there where they should be, and change no number."""

import numpy as np
import pytest

from kerasish import ops
from kerasish.engine import grad
from kerasish.engine import primitives as P
from kerasish.engine.static import function

_rng = np.random.default_rng(3)
X = _rng.normal(size=(6, 5, 4, 3)).astype("float32")
W, B = _rng.normal(size=(3, 3, 3, 8)).astype("float32"), _rng.normal(size=8).astype("float32")
ROWS = _rng.normal(size=(7, 40)).astype("float32")


def conv(x, w):
    return P.conv(x, w, strides=(1, 1), padding=((1, 1), (1, 1)), dilation=(1, 1), groups=1)


def biased(x, w, b):
    return ops.sum(ops.square(ops.relu(conv(x, w) + b)))


def biased_by_a_stack(x, w, b):
    return ops.sum(ops.square(ops.reshape(b, (1, 1, 1, 8)) + conv(x, w)))


def read_twice(x, w, b):
    y = conv(x, w)
    return ops.sum(ops.relu(y + b) * y)


def biased_by_position(x, w, b):
    return ops.sum(ops.square(conv(x, w) + ops.reshape(ops.concatenate([b, b, b[:4]]), (5, 4, 1))))


@pytest.mark.parametrize("f", [biased, biased_by_a_stack, read_twice, biased_by_position], ids=lambda f: f.__name__)
def test_bias_is_added_by_the_convolution(f):
    args = [ops.convert_to_tensor(a) for a in (X, W, B)]
    program = function(grad(f, (0, 1, 2)))
    for got, wanted in zip(program(*args), grad(f, (0, 1, 2))(*args), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)
    source = program.programs[-1].source
    assert ("conv_bias(" in source) == (f in (biased, biased_by_a_stack))
    assert ("relu=True" in source) == (f is biased)


def test_what_passes_make_has_gradients_of_its_own():
    def f(relu):
        def g(x, w, b):
            y = P.conv_bias(x, w, b, strides=(1, 1), padding=((1, 1), (1, 1)), dilation=(1, 1), groups=1, relu=relu)
            return ops.sum(ops.square(y))

        return g

    args = [ops.convert_to_tensor(a) for a in (X, W, B)]
    plain = grad(lambda x, w, b: ops.sum(ops.square(conv(x, w) + b)), (0, 1, 2))(*args)
    for relu, wanted in ((True, grad(biased, (0, 1, 2))(*args)), (False, plain)):
        for got, value in zip(grad(f(relu), (0, 1, 2))(*args), wanted, strict=True):
            np.testing.assert_allclose(got, value, rtol=1e-4, atol=1e-4)


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
