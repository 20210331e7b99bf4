"""Rematerialization: the same numbers, in less memory."""

import gc
import tracemalloc

import numpy as np
import pytest

import kerasish as keras
from kerasish import ops
from kerasish.engine import GradientTape, Tensor, Variable, grad, remat
from kerasish.engine.static import Function, function

RNG = np.random.default_rng(0)
X, W = RNG.normal(size=(3, 4)).astype("float32"), RNG.normal(size=(4, 4)).astype("float32")


def block(x, w):
    for _ in range(3):
        x = ops.tanh(ops.matmul(x, w))
    return x


def two_results(x, w):
    y = ops.matmul(x, w)
    return {"y": y, "x": x, "both": [ops.sin(y), None]}


# each takes what is applied to the inner function: nothing, or remat
OBJECTIVES = {
    "arguments": lambda again: lambda x, w: ops.sum(ops.square(again(block)(x, w))),
    "closure": lambda again: lambda x, w: ops.sum(again(lambda a: ops.sin(ops.matmul(a, w)) * w[:3])(x)),
    "nested": lambda again: lambda x, w: ops.sum(again(lambda a: ops.exp(again(block)(a, w)) * a)(x)),
    "an argument returned": lambda again: lambda x, w: ops.sum(again(lambda a, b: (a, a, b))(x, w)[1] * x),
    "a structure": lambda again: lambda x, w: (
        lambda out: ops.sum(out["y"] * out["x"] + out["both"][0])
    )(again(two_results)(x, w)),
    "a loop": lambda again: lambda x, w: ops.sum(again(lambda a: ops.scan(lambda c, r: (c + ops.tanh(r @ w), c), w[0], a)[1])(x)),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["eager", "static"])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradients_to_order_two(name, mode):
    run = function if mode == "static" else lambda f: f
    plain, again = (OBJECTIVES[name](w) for w in (lambda f: f, remat))

    def second(f):
        return grad(lambda x, w: ops.sum(ops.square(grad(f)(x, w))) + f(x, w), (0, 1))

    np.testing.assert_allclose(run(again)(X, W), plain(X, W), rtol=1e-6)
    for got, wanted in zip(run(grad(again, (0, 1)))(X, W), grad(plain, (0, 1))(X, W), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
    for got, wanted in zip(run(second(again))(X, W), second(plain)(X, W), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-4)


def deep(wrap):
    return lambda x, w: ops.sum(wrap(block)(wrap(block)(wrap(block)(wrap(block)(x, w), w), w), w))


WIDE, SMALL = RNG.normal(size=(2000, 64)).astype("float32"), (RNG.normal(size=(64, 64)) * 0.1).astype("float32")


def test_a_program_takes_less_memory():
    def workspace(wrap):
        f: Function = function(grad(deep(wrap), 1))
        f(WIDE, SMALL)
        return f.programs[-1].memory["workspace"]

    assert workspace(remat) < 0.7 * workspace(lambda f: f)


def test_eager_code_takes_less_memory():
    def peak(wrap):
        gc.collect()
        tracemalloc.start()
        grad(deep(wrap), 1)(Tensor(WIDE), Tensor(SMALL))
        out = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return out

    assert peak(remat) < 0.8 * peak(lambda f: f)


@pytest.mark.parametrize("mode", ["eager", "static"])
def test_variables_and_random_numbers_are_as_they_were(mode):
    seed, count, w = keras.random.SeedGenerator(1), Variable(np.float32(0.0), trainable=False), Variable(np.float32(2.0))

    def f(x):
        count.assign(count + 1.0)
        return keras.random.dropout(x, 0.5, seed=seed) * count * w

    def step(x):
        with GradientTape() as tape:
            tape.watch(x)
            y = remat(f)(x)
            w.assign(w * 10.0)  # the gradient is that of the value that was read
        return (y, *tape.gradient(y, [x, w]))

    y, dx, dw = (function(step) if mode == "static" else step)(Tensor(np.ones(50, "float32")))
    assert float(count.value) == 1
    np.testing.assert_array_equal(dx, y)
    assert float(dw) == pytest.approx(float(np.sum(y)) / 2)
    assert 0 < np.count_nonzero(y) < 50


def test_without_a_tape_it_is_the_function():
    calls = []
    assert float(remat(lambda x: calls.append(1) or ops.square(x))(3.0)) == 9
    assert calls == [1]
    assert remat(block).__name__ == "block"
