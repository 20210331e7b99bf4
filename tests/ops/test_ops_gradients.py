"""Gradients to order two: against JAX's, against finite differences, forward against reverse, eager against program.

The rows are those of `gradient_cases`. At ties, kinks and ends the sub-gradients are those that Keras on JAX has.
"""

from typing import Any

import numpy as np
import pytest
from gradient_cases import (
    ALL_ARRAYS,
    ALL_CASES,
    KINKS,
    directions_of,
    inputs_of,
    objective,
    read_gradients,
    values_of,
)
from test_ops_golden import WRONG_THERE

from kerasish import ops
from kerasish.base import config, tree
from kerasish.engine import Tensor, autodiff
from kerasish.engine.static import function

GOLDEN = read_gradients()


@pytest.fixture(autouse=True)
def in_float64():
    config.set_floatx("float64")
    yield
    config.set_floatx("float32")


def objective_of(case: str) -> Any:
    return objective(case, ops, {n: Tensor(a) for n, a in ALL_ARRAYS.items()}, tree.flatten)


def gradient_of(f: Any, n: int) -> Any:
    return autodiff.grad(f, argnums=tuple(range(n)))


def along(f: Any, case: str) -> Any:
    """The derivative of f along the row's line, as a function."""
    ds = [Tensor(d) for d in directions_of(case)]

    def derivative(*xs: Any) -> Any:
        total = None
        for g, d in zip(gradient_of(f, len(xs))(*xs), ds, strict=True):
            part = ops.sum(ops.multiply(g, d))
            total = part if total is None else ops.add(total, part)
        return total

    return derivative


def derivatives(case: str, order: int) -> list[np.ndarray]:
    xs = [Tensor(v) for v in values_of(case)]
    f = objective_of(case)
    return [np.asarray(g) for g in gradient_of(f if order == 1 else along(f, case), len(xs))(*xs)]


# where JAX gives NaN or a rounded number, and there is a better one
BETTER = {
    "sinc(X)": "Keras computes it in float32",
    "power(NIL, NIL)": "0 * inf is taken as 0, which is the limit, not as NaN",
    "normalize(NIL)": "the epsilon keeps it finite, as the value",
    "i0(ZERO)": "the second derivative at 0 is 1/2",
    'prod(X, axis=1, dtype="float16")': "half precision",
}
ROWS = [c for c in ALL_CASES if isinstance(GOLDEN.get(c), list)]
COMPARED = [c for c in ROWS if c not in BETTER and not c.startswith(WRONG_THERE)]


@pytest.mark.parametrize("case", COMPARED)
def test_gradients_are_those_of_jax(case):
    for got, wanted in zip(derivatives(case, 1), GOLDEN[case], strict=False):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("case", COMPARED)
def test_gradients_of_gradients_are_those_of_jax(case):
    second = GOLDEN[case][len(inputs_of(case)) :]
    for got, wanted in zip(derivatives(case, 2) if second else [], second, strict=False):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=5e-5)


# rows whose result is shaped by values, so that no program can be made of them
NEEDS_VALUES = ("where(B)", "nonzero", "unique", "bincount")
TRACED = [c for c in ROWS if not c.startswith(NEEDS_VALUES)]


@pytest.mark.parametrize("case", TRACED)
def test_programs_have_the_same_gradients_to_order_two(case):
    n = len(inputs_of(case))
    program = function(lambda *xs: (*gradient_of(objective_of(case), n)(*xs), *gradient_of(along(objective_of(case), case), n)(*xs)))
    results = program(*values_of(case))
    wanted = [*derivatives(case, 1), *derivatives(case, 2)]
    for got, want in zip(results, wanted, strict=True):
        np.testing.assert_allclose(np.asarray(got), want, rtol=1e-7, atol=1e-9)


# forward mode has numbers where reverse mode multiplies 0 by the infinite slope of a branch not taken, as in JAX
HALF_WAY = ("where(HOLE > 0, sqrt(HOLE)", "where(HOLE > 0, log", "where(HOLE != 0")


@pytest.mark.parametrize("case", [c for c in ROWS if not c.startswith(HALF_WAY) and "float16" not in c])
def test_forward_mode_agrees_with_reverse_mode(case):
    tangents = [Tensor(d) for d in directions_of(case)]
    xs = [Tensor(v) for v in values_of(case)]
    f = objective_of(case)
    value, tangent = autodiff.jvp(f, xs, tangents)
    if not np.isfinite(np.asarray(value)):
        return  # an empty segment's maximum
    np.testing.assert_allclose(np.asarray(tangent), np.asarray(along(f, case)(*xs)), rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(np.asarray(value), np.asarray(f(*xs)))


# what finite differences can't see: jumps, ties, results in half precision
ROUGH = (
    "sign(", "floor", "ceil", "trunc", "round", "mod(", "fmod", "cast(", "heaviside", "stop_gradient", "nextafter",
    "histogram", "nan", "sort(R)", "max(R", "top_k(R", "in_top_k", "ctc_decode", "linspace(0, 10", "scatter_update(TIE",
)  # fmt: skip


def smooth(case: str) -> bool:
    return case not in KINKS and not case.startswith(ROUGH) and "float16" not in case and "ord=0" not in case


def slope(f: Any, case: str, step: float) -> np.ndarray:
    """The derivative of f along the row's line, from its values."""
    up, down = (
        f(*[Tensor(x + s * step * d) for x, d in zip(values_of(case), directions_of(case), strict=True)]) for s in (1, -1)
    )
    return (np.asarray(up) - np.asarray(down)) / (2 * step)


@pytest.mark.parametrize("case", [c for c in ROWS if smooth(c)])
def test_both_orders_agree_with_finite_differences(case):
    xs = [Tensor(v) for v in values_of(case)]
    f = objective_of(case)
    first = along(f, case)
    step = 1e-6
    np.testing.assert_allclose(np.asarray(first(*xs)), slope(f, case, step), rtol=1e-5, atol=1e-6)
    second = autodiff.jvp(first, xs, [Tensor(d) for d in directions_of(case)])[1]
    np.testing.assert_allclose(np.asarray(second), slope(first, case, step), rtol=1e-5, atol=1e-5)
