"""Vectors joined in a program: parts are computed where they belong, and what belongs to two places is copied."""

import numpy as np
import pytest

import kerasish as keras
from kerasish.engine import Tensor
from kerasish.engine import primitives as P
from kerasish.engine.static import function

X = np.array([1.0, -2.0, 3.0], "float32")
Y = np.array([0.5, 0.25], "float32")


def twice_the_same(x, y):
    """Two equal expressions, which are merged into one value that is then joined twice."""
    return P.concat(P.mul(x, x), P.mul(x, x), axis=0)


def same_around_another(x, y):
    return P.concat(P.exp(x), P.neg(y), P.exp(x), axis=0)


def in_two_vectors(x, y):
    part = P.exp(x)
    return P.add(P.concat(part, P.neg(y), axis=0), P.concat(P.neg(y), part, axis=0))


def also_a_result(x, y):
    part = P.exp(x)
    return P.concat(part, part, P.exp(y), axis=0), part


def read_after_the_join(x, y):
    part = P.exp(x)
    joined = P.concat(part, part, axis=0)
    return P.mul(joined, P.concat(P.neg(part), P.mul(part, part), axis=0))


def an_input_twice(x, y):
    return P.concat(x, x, y, axis=0)


def a_view_twice(x, y):
    part = P.flip(P.exp(x), axis=(0,))
    return P.concat(part, P.exp(x), part, axis=0)


def joined_again(x, y):
    pair = P.concat(P.exp(x), P.exp(x), axis=0)
    return P.concat(pair, P.exp(y), pair, axis=0)


@pytest.mark.parametrize(
    "f",
    [twice_the_same, same_around_another, in_two_vectors, also_a_result, read_after_the_join, an_input_twice,
     a_view_twice, joined_again],
)  # fmt: skip
def test_every_part_arrives(f):
    wanted = f(Tensor(X), Tensor(Y))
    program = function(lambda y, x: f(x, y))
    for scale in (1.0, 2.0):  # the second run must not find what the first left
        wanted = f(Tensor(X * scale), Tensor(Y * scale))
        got = program(Y * scale, X * scale)
        for a, b in zip(*(v if isinstance(v, tuple) else (v,) for v in (got, wanted)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)


def test_equal_gradients_of_two_variables_reach_both():
    """Two biases that are added to one sum have one gradient, computed once and written to both their places."""

    def weights(eagerly: bool) -> list:
        keras.utils.set_random_seed(2)
        x = keras.Input((3,))
        model = keras.Model(x, keras.layers.Add()([keras.layers.Dense(4)(x), keras.layers.Dense(4)(x)]))
        model.compile("sgd", "mse", run_eagerly=eagerly)
        data = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
        model.fit(data, np.ones((8, 4), "float32"), epochs=3, verbose=0, shuffle=False)
        return model.get_weights()

    static, eager = weights(False), weights(True)
    np.testing.assert_array_equal(static[1], static[3])
    for a, b in zip(static, eager, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
