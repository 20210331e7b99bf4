"""What programs do around pooling: relu after it, and sums of its gradient, to the numbers of eager mode."""

import re

import numpy as np
import pytest

from kerasish import ops
from kerasish.engine import GradientTape, Variable
from kerasish.engine.static import Function

rng = np.random.default_rng(0)
NOISE = rng.standard_normal((3, 9, 8, 4)).astype("float32")
TIES = rng.integers(-2, 3, (3, 9, 8, 4)).astype("float32")
NEGATIVE = -np.abs(NOISE)
INPUTS = {"noise": NOISE, "ties": TIES, "all negative": NEGATIVE}
POOLS = [(2, 2, "valid"), (2, 2, "same"), (3, 3, "same"), (3, 2, "valid"), (3, 1, "same"), ((1, 2), (2, 3), "valid"), (1, 1, "valid")]


def step(x, w, pool, more=False):
    bias = Variable(np.zeros(4, "float32"))
    with GradientTape() as tape:
        tape.watch(x)
        r = ops.relu(x * w + bias)
        y = ops.max_pool(r, *pool)
        loss = ops.sum(ops.square(y) * y) + (ops.sum(r) if more else 0.0)
    return loss, tape.gradient(loss, [x, bias])


def statements(program):
    """The names of what a program does, in order; chains tell theirs in a comment."""
    for line in program.source.split("def run(")[1].splitlines():
        call, _, comment = line.strip().partition("  # ")
        yield from comment.split(", ") if call.startswith("chain") else re.findall(r"^\w+?(?=(?:_\d+)?\()", call)


def check(pool, x, more):
    w = rng.standard_normal(4).astype("float32") if x is not TIES else np.ones(4, "float32")
    fn = Function(lambda x, w: step(x, w, pool, more), name="step")
    loss, (dx, db) = fn(x, w)
    loss_, (dx_, db_) = step(ops.convert_to_tensor(x), ops.convert_to_tensor(w), pool, more)
    np.testing.assert_array_equal(dx, dx_)
    np.testing.assert_allclose(db, db_, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(loss, loss_, rtol=1e-5)
    return [name for name in statements(fn.programs[-1]) if name in ("relu", "relu_grad", "max_pool", "max_pool_grad")]


@pytest.mark.parametrize("data", INPUTS)
@pytest.mark.parametrize("pool", POOLS, ids=str)
def test_relu_is_done_after_pooling(pool, data):
    assert check(pool, INPUTS[data], more=False) == ["max_pool", "relu", "relu_grad", "max_pool_grad"]


@pytest.mark.parametrize("pool", POOLS, ids=str)
def test_a_relu_that_is_used_elsewhere_stays(pool):
    assert check(pool, NOISE, more=True)[:2] == ["relu", "max_pool"]


@pytest.mark.parametrize("data", INPUTS)
@pytest.mark.parametrize("pool", POOLS, ids=str)
@pytest.mark.parametrize("bias", [rng.standard_normal(4).astype("float32") * 1e4, np.float32(3.3)], ids=["channels", "number"])
def test_without_a_gradient_a_bias_is_added_after_pooling(pool, data, bias):
    fn = Function(lambda x, b: ops.max_pool(ops.relu(b + x), *pool), name="predict")
    x = INPUTS[data]
    np.testing.assert_array_equal(fn(x, bias), ops.max_pool(ops.relu(bias + x), *pool))
    assert [name for name in statements(fn.programs[-1]) if name in ("add", "relu", "max_pool")] == ["max_pool", "add", "relu"]


@pytest.mark.parametrize("other", ["a sum that is used elsewhere", "a map", "whole numbers"])
def test_what_is_added_stays_before_pooling_where_it_must(other):
    if other == "a map":
        fn, args = lambda x, b: ops.max_pool(x + b, 2), (NOISE, rng.standard_normal((8, 1)).astype("float32"))
    elif other == "whole numbers":
        fn, args = lambda x, b: ops.max_pool(x + b, 2), (TIES.astype("int32"), np.int32(2**31 - 2))
    else:
        fn, args = lambda x, b: (ops.max_pool(x + b, 2), x + b), (NOISE, rng.standard_normal(4).astype("float32"))
    static = Function(fn, name="predict")
    for y, expected in zip(static(*args), fn(*map(ops.convert_to_tensor, args))):
        np.testing.assert_array_equal(y, expected)
    source = static.programs[-1].source.split("def run(")[1]
    assert re.search("add", source).start() < re.search("max_pool", source).start()


def test_sums_of_gradients_of_means():
    def step(x):
        bias = Variable(np.zeros(4, "float32"))
        with GradientTape() as tape:
            y = ops.average_pool(x + bias, 2, 2, "same")
            loss = ops.sum(ops.square(y))
        return tape.gradient(loss, bias)

    fn = Function(step, name="step")
    np.testing.assert_allclose(fn(NOISE), step(ops.convert_to_tensor(NOISE)), rtol=1e-5)
    assert "avg_pool_grad" not in fn.programs[-1].source
